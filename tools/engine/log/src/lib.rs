//! Log manager: writer, reader, offload, BSDS.
