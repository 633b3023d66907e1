"""Of images that are alike it is said once what was chosen, and what differs is always said."""

from cellscale.cli.output.repeated import Repeated
from cellscale.pipeline.events import Notice


def said(*notices):
    repeated = Repeated()
    return [repeated.said(Notice(image, "info", text)) for image, text in notices]


def test_what_all_images_have_is_said_once():
    found = said(*((f"image{number}", "nucleus: #1 DAPI") for number in range(4)))
    assert found[0] == "nucleus: #1 DAPI"
    assert found[1].startswith("the same; ")
    assert found[2:] == ["", ""]


def test_what_differs_from_the_image_before_is_said():
    told = [("a", "DAPI"), ("b", "DAPI"), ("c", "Hoechst"), ("d", "DAPI"), ("e", "DAPI"), ("e", "regions: 1")]
    found = said(*told)
    assert [found[0], *found[2:]] == ["DAPI", "Hoechst", "DAPI", "", "regions: 1"]


def test_what_is_said_twice_of_one_image_stays():
    assert said(("a", "kept"), ("a", "kept")) == ["kept", "kept"]
