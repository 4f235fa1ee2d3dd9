"""Reading handwritten digits: a library without Django."""
