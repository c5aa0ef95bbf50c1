"""Products of Sentinel-2 as they are downloaded: SAFE, whole or in part, and the layouts of cloud buckets."""
