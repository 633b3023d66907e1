"""Datasets in Cloud Storage, worked on by machines that Google Cloud Batch rents."""
