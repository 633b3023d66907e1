"""The Java classes that a QuPath data file is made of, as their serialized form describes them."""

from cellscale.qupath.java.java_types import ENUM, EXTERNALIZABLE, SERIALIZABLE, WRITE_METHOD, JavaClass

__all__ = [
    "ANNOTATION",
    "ARRAY_LIST",
    "BOOLEAN",
    "BYTE_ARRAY",
    "CELL",
    "CLOSED_SHAPE_STATISTICS",
    "DETECTION",
    "FLOAT_ARRAY",
    "FLOAT_LIST",
    "GEOMETRY_ROI",
    "GEOMETRY_STATS",
    "HASH_MAP",
    "HIERARCHY",
    "IMAGE_TYPE",
    "INTEGER",
    "KNOWN",
    "LOCALE",
    "METADATA_MAP",
    "OBJECT_ARRAY",
    "PATH_CLASS",
    "POLYGON_ROI",
    "RECTANGLE_ROI",
    "ROOT",
    "SINGLETON_MAP",
    "WORKFLOW",
    "WORKFLOW_STEP",
]

_STRING = "Ljava/lang/String;"
_OBJECT = "Ljava/lang/Object;"
_MAP = "Ljava/util/Map;"
_PLANE = (("c", "I"), ("t", "I"), ("z", "I"))

_ENUM = JavaClass("java.lang.Enum", 0, ENUM)
_NUMBER = JavaClass("java.lang.Number", -8742448824652078965, SERIALIZABLE)
INTEGER = JavaClass("java.lang.Integer", 1360826667806852920, SERIALIZABLE, (("value", "I"),), _NUMBER)
BOOLEAN = JavaClass("java.lang.Boolean", -3665804199014368530, SERIALIZABLE, (("value", "Z"),))
OBJECT_ARRAY = JavaClass("[Ljava.lang.Object;", -8012369246846506644, SERIALIZABLE)
FLOAT_ARRAY = JavaClass("[F", 836686056779680834, SERIALIZABLE)
BYTE_ARRAY = JavaClass("[B", -5984413125824719648, SERIALIZABLE)
ARRAY_LIST = JavaClass("java.util.ArrayList", 8683452581122892189, WRITE_METHOD, (("size", "I"),))
HASH_MAP = JavaClass("java.util.HashMap", 362498820763181265, WRITE_METHOD, (("loadFactor", "F"), ("threshold", "I")))
SINGLETON_MAP = JavaClass(
    "java.util.Collections$SingletonMap", -6979724477215052911, SERIALIZABLE, (("k", _OBJECT), ("v", _OBJECT))
)
LOCALE = JavaClass(
    "java.util.Locale",
    9149081749638150636,
    WRITE_METHOD,
    (
        ("hashcode", "I"),
        ("country", _STRING),
        ("extensions", _STRING),
        ("language", _STRING),
        ("script", _STRING),
        ("variant", _STRING),
    ),
)

IMAGE_TYPE = JavaClass("qupath.lib.images.ImageData$ImageType", 0, ENUM, (), _ENUM)
WORKFLOW = JavaClass("qupath.lib.plugins.workflow.Workflow", 1, EXTERNALIZABLE)
WORKFLOW_STEP = JavaClass(
    "qupath.lib.plugins.workflow.DefaultScriptableWorkflowStep",
    1,
    SERIALIZABLE,
    (("map", _MAP), ("name", _STRING), ("script", _STRING)),
)
HIERARCHY = JavaClass(
    "qupath.lib.objects.hierarchy.PathObjectHierarchy",
    1,
    SERIALIZABLE,
    (("rootObject", "Lqupath/lib/objects/PathObject;"), ("tmaGrid", "Lqupath/lib/objects/hierarchy/TMAGrid;")),
)
_PATH_OBJECT = JavaClass("qupath.lib.objects.PathObject", 1, EXTERNALIZABLE)
ROOT = JavaClass("qupath.lib.objects.PathRootObject", 1, EXTERNALIZABLE, (), _PATH_OBJECT)
_ROI_OBJECT = JavaClass("qupath.lib.objects.PathROIObject", 1, EXTERNALIZABLE, (), _PATH_OBJECT)
ANNOTATION = JavaClass("qupath.lib.objects.PathAnnotationObject", 1, EXTERNALIZABLE, (), _ROI_OBJECT)
DETECTION = JavaClass("qupath.lib.objects.PathDetectionObject", 1, EXTERNALIZABLE, (), _ROI_OBJECT)
CELL = JavaClass("qupath.lib.objects.PathCellObject", 1, EXTERNALIZABLE, (), DETECTION)
PATH_CLASS = JavaClass(
    "qupath.lib.objects.classes.PathClass",
    1,
    SERIALIZABLE,
    (
        ("colorRGB", "Ljava/lang/Integer;"),
        ("name", _STRING),
        ("parentClass", "Lqupath/lib/objects/classes/PathClass;"),
    ),
)
METADATA_MAP = JavaClass("qupath.lib.objects.MetadataMap", 1, EXTERNALIZABLE)

_MEASUREMENTS = JavaClass(
    "qupath.lib.measurements.NumericMeasurementList$AbstractNumericMeasurementList",
    1,
    SERIALIZABLE,
    (("isClosed", "Z"), ("map", _MAP), ("names", "Ljava/util/List;")),
)
FLOAT_LIST = JavaClass(
    "qupath.lib.measurements.NumericMeasurementList$FloatList",
    1,
    SERIALIZABLE,
    (("values", "[F"),),
    _MEASUREMENTS,
)

GEOMETRY_STATS = JavaClass(
    "qupath.lib.roi.GeometryROI$GeometryStats",
    1,
    SERIALIZABLE,
    (
        ("area", "D"),
        ("boundsMaxX", "D"),
        ("boundsMaxY", "D"),
        ("boundsMinX", "D"),
        ("boundsMinY", "D"),
        ("centroidX", "D"),
        ("centroidY", "D"),
        ("length", "D"),
        ("error", _STRING),
    ),
)
GEOMETRY_ROI = JavaClass(
    "qupath.lib.roi.GeometryROI$WKBSerializationProxy",
    1,
    SERIALIZABLE,
    (*_PLANE, ("stats", "Lqupath/lib/roi/GeometryROI$GeometryStats;"), ("wkb", "[B")),
)
CLOSED_SHAPE_STATISTICS = JavaClass(
    "qupath.lib.roi.ClosedShapeStatistics",
    1,
    SERIALIZABLE,
    (
        ("areaCached", "D"),
        ("centroidXCached", "F"),
        ("centroidYCached", "F"),
        ("maxX", "D"),
        ("maxY", "D"),
        ("minX", "D"),
        ("minY", "D"),
        ("nVertices", "I"),
        ("perimeterCached", "D"),
    ),
)
POLYGON_ROI = JavaClass(
    "qupath.lib.roi.PolygonROI$SerializationProxy",
    1,
    SERIALIZABLE,
    (
        *_PLANE,
        ("name", _STRING),
        ("stats", "Lqupath/lib/roi/ClosedShapeStatistics;"),
        ("x", "[F"),
        ("y", "[F"),
    ),
)
RECTANGLE_ROI = JavaClass(
    "qupath.lib.roi.RectangleROI$SerializationProxy",
    1,
    SERIALIZABLE,
    (("c", "I"), ("t", "I"), ("x", "D"), ("x2", "D"), ("y", "D"), ("y2", "D"), ("z", "I"), ("name", _STRING)),
)

KNOWN = tuple(value for value in list(globals().values()) if isinstance(value, JavaClass))
"""All of them."""
