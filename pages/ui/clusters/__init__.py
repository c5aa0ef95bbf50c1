"""Clusters on the Explore page: the list of them, what can be done with one, and its typical and odd patches."""
