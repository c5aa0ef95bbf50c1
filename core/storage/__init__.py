"""Where results lie as objects under keys: in a folder, or in a bucket of S3, Azure or Google."""
