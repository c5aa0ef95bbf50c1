"""How far features and layouts can be trusted."""
