"""What an image is and how it was worked on: the facts that its costs depend on."""

from dataclasses import dataclass

__all__ = ["ImageFacts"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageFacts:
    """Facts of one image's work, each 0 or empty until it is known."""

    height: int = 0
    width: int = 0
    network_height: int = 0
    """Rows at the network's pixel size."""
    network_width: int = 0
    channels: int = 0
    sample_bytes: int = 0
    """Bytes of one channel of one pixel."""
    file_bytes: int = 0
    output_bytes: int = 0
    """Size of the files that were made."""
    workers: int = 0
    """Blocks worked on side by side, of whatever images."""
    side_by_side: int = 0
    """Images worked on at the same time at most, among which times are divided; 0 where nobody counted."""
    network: str = ""
    """Name of the network; empty where nothing was segmented."""
    batch_size: int = 0
    """Tiles that the network was given at once."""
    device: str = ""
    """What computed the network: ``cpu`` (ONNX Runtime alone), ``cpu:native``, ``cuda``, ..."""
    precision: str = ""
    """Number format that the network computed in."""
    model_load_seconds: float = 0.0
    """0 where an earlier image had loaded the network."""
    blocks: int = 0
    """Blocks whose labels are certified to be those of the whole image, over all compartments."""
    enlarged_blocks: int = 0
    """Blocks among them whose surroundings had to grow for that."""
    largest_halo: int = 0
    """Pixels of surroundings that the most demanding block needed."""
