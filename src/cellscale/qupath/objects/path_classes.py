"""Classes of objects, and of classes below others."""

from collections.abc import Mapping

from cellscale.qupath.java.java_types import JavaObject
from cellscale.qupath.java.serial_classes import INTEGER, PATH_CLASS

__all__ = ["PathClasses", "class_parts"]

_GREY = (128, 128, 128)


class PathClasses:
    """Makes each class of a file once.

    Parameters
    ----------
    colours
        RGB by the class's name; others are grey.
    """

    def __init__(self, colours: Mapping[str, tuple[int, int, int]]) -> None:
        self._colours = colours
        self._made: dict[tuple[str, ...], JavaObject] = {}

    def of(self, parts: tuple[str, ...]) -> JavaObject:
        """Return the class of that name, as `class_parts` has it."""
        if parts not in self._made:
            red, green, blue = self._colours.get(": ".join(parts), _GREY)
            colour = (0xFF << 24 | red << 16 | green << 8 | blue) - 2**32
            self._made[parts] = JavaObject(
                PATH_CLASS,
                {
                    "colorRGB": JavaObject(INTEGER, {"value": colour}),
                    "name": parts[-1],
                    "parentClass": self.of(parts[:-1]) if len(parts) > 1 else None,
                },
            )
        return self._made[parts]


def class_parts(name: str) -> tuple[str, ...]:
    """Return the parts of a class's name: QuPath knows classes below classes, and no colon in a name."""
    return tuple(part.strip() for part in name.split(":") if part.strip())
