"""HTTP for devices: arrays of observations, answered once they are durable. `data_api` is the door, `ingest` the work, `body` and `answers` its parts."""
