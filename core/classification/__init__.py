"""From features to a map of classes that somebody signs: what it is made by, how right it is, what it covers."""
