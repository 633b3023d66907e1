"""Processor time and maps of the graph that devices are given against the model's own, in pairs in one run.

Usage, from the root: ``python -m benchmarks.clean_graph [--tiles 10]``. Needs the Mesmer weights, and the extra
``openvino``. ONNX Runtime and OpenVINO, float32 and bf16, compute each tile from both graphs in turn with one thread.
"""

import argparse
import time

import numpy as np

from cellscale.predict.clean_graph import clean_graph
from cellscale.predict.heads import COMPARTMENTS, heads_of
from cellscale.predict.onnx_file.joining import INPUT, MAPS
from cellscale.predict.onnx_file.model_file import model_content
from cellscale.predict.openvino import OpenVinoNetwork
from cellscale.predict.sessions import SessionSettings, open_session
from cellscale.weights.catalogue import MESMER
from cellscale.weights.resolve import installed_model

HEADS = heads_of(COMPARTMENTS)


def opened(engine: str, content: bytes):
    """Return what computes the maps of tiles."""
    if engine == "ONNX Runtime":
        session = open_session(content, "Mesmer", SessionSettings(threads=1))
        return lambda tiles: session.run([MAPS], {INPUT: tiles})[0]
    precision = "bf16" if engine.endswith("bf16") else "float32"
    return OpenVinoNetwork(content, heads=HEADS, name="Mesmer", precision=precision, threads=1).predict


def compare(engine: str, graphs: list[bytes], tiles: np.ndarray) -> None:
    """Print the ratio of both graphs' times, and how far their maps differ."""
    networks = [opened(engine, graph) for graph in graphs]
    for network in networks:
        network(tiles[:1])
    seconds, largest = [], 0.0
    for tile in tiles:
        maps, taken = [], []
        for network in networks:
            start = time.process_time()
            maps.append(network(tile[None]))
            taken.append(time.process_time() - start)
        seconds.append(taken)
        largest = max(largest, float(np.abs(maps[0] - maps[1]).max()))
    own, clean = np.median(seconds, axis=0)
    ratio = np.median([before / now for before, now in seconds])
    print(f"{engine}: {1e3 * own:.0f} and {1e3 * clean:.0f} ms a tile, {ratio:.3f} times as fast; {largest:.1e}")


def main() -> None:
    """Read the words and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tiles", type=int, default=10)
    model = installed_model(MESMER).path.read_bytes()
    graphs = [model_content(model, HEADS), clean_graph(model, HEADS)]
    tiles = np.random.default_rng(0).random((parser.parse_args().tiles, 256, 256, 2), np.float32)
    for engine in ("ONNX Runtime", "OpenVINO float32", "OpenVINO bf16"):
        compare(engine, graphs, tiles)


if __name__ == "__main__":
    main()
