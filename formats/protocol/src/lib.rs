//! Frames, requests and replies between programs and a queue manager.
