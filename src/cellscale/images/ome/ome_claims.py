"""Whether the pages of an OME-TIFF are those that its OME-XML describes.

tifffile reads what it can of OME-XML that does not fit its file: pages beyond the declared sizes are left out, planes
may be named twice, and an image that cannot be placed is passed over. It also makes a list of all planes that are
declared, however many. So the numbers are held against each other.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from cellscale.errors import ImageError
from cellscale.images.ome.ome_metadata import OmeImage
from cellscale.images.ome.ome_planes import OmePlanes, PlaneRun
from cellscale.images.tiff.tiff_tags import check_single

__all__ = ["OmeClaims"]

_MANY = 2**20
"""Planes of other files that may be declared: a list of them takes a few megabytes."""


class OmeClaims:
    """What the OME-XML of a file says of the file's pages.

    Parameters
    ----------
    images
        The images that are described.
    pages
        Pages of the file.
    name
        The file, for messages.
    """

    def __init__(self, images: Sequence[OmeImage], pages: int, name: str) -> None:
        self.images = images
        self._pages = pages
        self._name = name

    def check_counts(self, tiff: Any) -> None:
        """Check that so many planes as are declared can be there, and that no page lies outside its image.

        Parameters
        ----------
        tiff
            The open tifffile.TiffFile.

        Raises
        ------
        ImageError
            They cannot, or one does.
        """
        for image in self.images:
            planes = image.planes
            for run in planes.runs:
                self._check_place(run, planes)
            most = sum(len(self._here(run)) for run in planes.runs if run.here)
            most += min(sum(run.count or _MANY for run in planes.runs if not run.here), _MANY)
            if planes.runs and planes.count > max(most, _MANY):
                raise self._refused(f"declares {planes.text}", f"there are {self._pages:,} pages")
            first = next((run.page for run in planes.runs if run.here and run.page < self._pages), None)
            if first is not None:
                self._check_size(image, tiff.pages[first], max(most, _MANY))

    def _check_size(self, image: OmeImage, page: Any, most: int) -> None:
        """Check that an image is not larger than so many of its pages: tifffile makes a list of as many."""
        check_single(page.keyframe, self._name)
        rows, columns = page.keyframe.imagelength, page.keyframe.imagewidth
        if image.planes.count * image.height * image.width > most * max(rows * columns, 1):
            raise self._refused(
                f"declares {image.height:,} x {image.width:,} pixels (rows x columns)",
                f"its page {page.index + 1:,} has {rows:,} x {columns:,}",
            )

    def _check_place(self, run: PlaneRun, planes: OmePlanes) -> None:
        is_there = not run.here or run.page < self._pages
        limit = self._pages - run.page if run.here and is_there else _MANY
        if run.count is not None and run.count > limit:
            raise self._refused(
                f"refers to {run.count:,} pages from page {run.page + 1:,} on", f"there are {self._pages:,}"
            )
        if not is_there:
            return  # of an image that ImageJ cut out the OME-XML may still describe the whole
        if run.first is None or (run.count is not None and run.count > planes.count - run.first):
            raise self._refused(f"makes page {run.page + 1:,} or one after it a plane that is none of {planes.text}")

    def image_of(self, page: Any, position: int) -> OmeImage | None:
        """Return the image that a page of the file belongs to; None where no image has the page's size.

        Parameters
        ----------
        page
            tifffile's page, or a frame: tifffile opens a file once more that calls itself by two identifiers.
        position
            Which image it is thought to be; that decides where the page is in none, or in several.
        """
        shape = (int(page.keyframe.imagelength), int(page.keyframe.imagewidth))
        ordered = [*self.images[position : position + 1], *self.images]
        fitting = [one for one in ordered if (one.height, one.width) == shape]
        owners = [
            one for one in fitting if any(run.here and page.index in self._here(run) for run in one.planes.runs)
        ]
        return next(iter([*owners, *fitting]), None)

    def check_image(self, image: OmeImage, tiff: Any) -> tuple[str, ...]:
        """Check that an image has a page of its own for each plane, and return what the user should know.

        Parameters
        ----------
        image
            The image that is to be read.
        tiff
            The open tifffile.TiffFile.

        Raises
        ------
        ImageError
            Planes are missing or there twice, or there are more channels or pages than are declared.
        """
        planes = image.planes
        if planes.described > planes.sizes["C"]:
            raise self._refused(f"declares {planes.sizes['C']} channels and describes {planes.described}")
        places = list(self._places(planes))
        for what, numbers in zip(("plane", "page"), zip(*places, strict=True), strict=False):
            number, times = Counter(numbers).most_common(1)[0]
            if times > 1:
                raise self._refused(f"names {what} {number + 1:,} {times} times")
        if places and len(places) < planes.count and all(run.here for run in planes.runs):
            raise self._refused(f"declares {planes.text}", f"there are {len(places):,} pages for them")
        return self._left_over(planes, places, tiff)

    def _left_over(self, planes: OmePlanes, places: list[tuple[int, int]], tiff: Any) -> tuple[str, ...]:
        """Return a warning where pages that belong to no image look like this image's, or refuse them."""
        if not places:
            return ()
        looks, taken = _looks(tiff.pages[places[0][1]]), {page for _, page in places}
        named = {page for one in self.images for _, page in self._places(one.planes)}
        left = [
            page for page in range(self._pages) if page not in taken | named and _looks(tiff.pages[page]) == looks
        ]
        if not left:
            return ()
        if any(run.here and left[0] in self._here(run) for run in planes.runs):
            raise self._refused(f"declares {planes.text}", f"there are {len(places) + len(left):,} pages for them")
        return (
            f"{len(left)} more pages of the image's size (the first is page {left[0] + 1}) are not worked on, as the "
            f"OME-XML does not describe them: correct it where they are channels",
        )

    def check_passed_over(self, chosen: OmeImage | None, tiff: Any) -> None:
        """Check that no larger image than the chosen one was passed over because its pages have another size.

        Raises
        ------
        ImageError
            One was.
        """
        least = 0 if chosen is None else chosen.height * chosen.width
        for image in (one for one in self.images if one is not chosen):
            first = next(self._places(image.planes), None)
            if first is None:
                continue
            page = tiff.pages[first[1]]
            shape = (int(page.imagelength), int(page.imagewidth))
            if shape != (image.height, image.width) and shape[0] * shape[1] >= least:
                raise self._refused(
                    f"describes an image of {image.height:,} x {image.width:,} pixels (rows x columns)",
                    f"its page {first[1] + 1:,} has {shape[0]:,} x {shape[1]:,}",
                )

    def _places(self, planes: OmePlanes) -> Iterator[tuple[int, int]]:
        """Yield number and page of each plane that is in this file."""
        for run in planes.runs:
            if run.here and run.first is not None:
                yield from zip(range(run.first, planes.count), self._here(run), strict=False)

    def _here(self, run: PlaneRun) -> range:
        """Return the pages that an element refers to and that are there."""
        count = self._pages if run.count is None else run.count
        return range(min(run.page, self._pages), min(run.page + count, self._pages))

    def _refused(self, claim: str, found: str = "that cannot be") -> ImageError:
        return ImageError(
            f"{self._name}: its OME-XML {claim}; {found}: the file is damaged, or its OME-XML is of another one; "
            f"copy or download it again, or write it again in one go"
        )


def _looks(page: Any) -> tuple[int, int, int, str]:
    return int(page.imagelength), int(page.imagewidth), int(page.samplesperpixel), str(page.dtype)
