"""The server that one would write by hand: uvicorn, one process, every part in it. What `serve_latency` compares with.

python -m benchmarks.serve_plain --bundle runs/demo --port 8001
"""

import argparse

import torch
import uvicorn

from serve.parts.in_process import engine_in_process
from serve.routes.api import create_api
from swiggle.bundle import Bundle


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bundle", default="runs/demo")
    parser.add_argument("--port", type=int, default=8001)
    options = parser.parse_args()
    torch.set_num_threads(1)
    app = create_api(engine_in_process(Bundle.load(options.bundle)))
    uvicorn.run(app, port=options.port, log_level="warning")


if __name__ == "__main__":
    main()
