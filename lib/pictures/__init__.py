"""Pictures: read, found, drawn, morphed, and with parts of the face hidden."""
