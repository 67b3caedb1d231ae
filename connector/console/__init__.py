"""The web console: what people look at, and the few things they may do. It reads the database and leaves orders."""
