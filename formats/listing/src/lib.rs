//! Printed reports that people already have: DISPLAY USAGE, LISTCAT, DISPLAY LOG.
