"""Classes of cells from anyone's table, put into what a dataset has of them."""

from cellscale.pipeline.classifying.class_colours import colours_of
from cellscale.pipeline.classifying.class_table import ClassTable, read_class_table
from cellscale.pipeline.classifying.dataset_classes import ClassifiedImage, classify_dataset

__all__ = ["ClassTable", "ClassifiedImage", "classify_dataset", "colours_of", "read_class_table"]
