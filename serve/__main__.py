"""Serve a bundle on this machine.

python -m serve --bundle runs/demo
python -m serve --bundle runs/demo --port 8080 --placement split
SWIGGLE_API_KEY=... python -m serve --bundle runs/demo --host 0.0.0.0
"""

import argparse
import logging
import os
import signal
import socket
import sys
import time

from serve.runtime.limits import is_loopback
from serve.runtime.ports import claim, release
from swiggle.atlas.hand_labels import HandLabelFile, LabelError
from swiggle.manifest import BundleError, dictionary_of, read_manifest
from swiggle.storage import absolute, is_local, local_path


def unusable(host: str, port: int) -> str | None:
    """Why a server cannot listen there; None if it can."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except (OSError, OverflowError) as error:  # taken, not ours, or no port at all
            return str(error)
    return None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bundle", default="runs/demo", help="a folder, hf://owner/name or another URI")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--placement", choices=["fused", "split"], default="fused")
    parser.add_argument("--chroma", help="http[s]://host:port of a chroma server (default: Chroma inside the server)")
    parser.add_argument("--gateways", type=int, default=1, help="processes that take requests (default: 1)")
    parser.add_argument(
        "--gpus",
        type=float,
        help="what each process with a model gets of a GPU (default: they share half of it)",
    )
    options = parser.parse_args()
    if options.gateways < 1:
        parser.error(f"--gateways: {options.gateways} is not 1 or more")
    if not is_loopback(options.host) and not os.environ.get("SWIGGLE_API_KEY"):
        parser.error("--host: without SWIGGLE_API_KEY the server binds loopback only")
    if "RAY_ADDRESS" not in os.environ and (problem := unusable(options.host, options.port)):
        parser.error(f"--port: {options.port} of {options.host} cannot be used ({problem})")
    location = options.bundle if options.bundle.startswith("hf://") else absolute(options.bundle)
    if is_local(location):
        try:
            manifest = read_manifest(local_path(location))
            HandLabelFile(local_path(location), dictionary_of(manifest)).read()
        except (BundleError, LabelError) as error:
            parser.error(f"--bundle: {error}")

    start(location, options)


def start(location: str, options: argparse.Namespace) -> None:
    folder = claim(repeated=options.gateways > 1)
    # Imported here, so that a refused command line is answered at once, and after `claim`.
    import ray
    from ray import serve

    from serve.graph import Arguments, build
    from serve.runtime.guards import settings
    from swiggle.placement import usable_gpus

    print("starting Ray, which takes longer while other programs run", flush=True)
    if "RAY_ADDRESS" in os.environ:
        # Replicas on a running cluster do not see this process's environment, and without the key would ask for none.
        ray.init(runtime_env={"env_vars": settings(os.environ)})
    else:
        cpus = max(8, os.cpu_count() or 1)  # logical: idle replicas of the split placement must all fit
        ray.init(num_cpus=cpus, object_store_memory=300_000_000, include_dashboard=False, logging_level="ERROR")
    quiet = {"log_level": "WARNING", "enable_access_log": False}
    logging.getLogger("ray.serve").setLevel(logging.WARNING)  # of this process, which says itself what it does
    serve.start(http_options={"host": options.host, "port": options.port}, logging_config=quiet)
    # Half of what there is, so that a new version finds room beside the old one.
    users = 2 * (3 if options.placement == "split" else options.gateways)
    there = usable_gpus(ray.cluster_resources().get("GPU", 0), here="RAY_ADDRESS" not in os.environ)
    arguments = Arguments(
        bundle=location,
        placement=options.placement,
        chroma=options.chroma,
        gateways=options.gateways,
        gpus=min(1.0, int(1e4 * there / users) / 1e4) if options.gpus is None else options.gpus,
    )
    print(f"loading {options.bundle}", flush=True)
    serve.run(build(arguments), name="swiggle", route_prefix="/", logging_config=quiet)
    print(
        f"\nSwiggle is serving {options.bundle} at http://{options.host}:{options.port}  (Ctrl-C stops it)", flush=True
    )
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # what service managers and containers send
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs start without
    try:
        while True:
            time.sleep(3600)
    except KeyboardInterrupt:
        print("stopping", file=sys.stderr)
        serve.shutdown()
        ray.shutdown()
        release(folder)


if __name__ == "__main__":
    main()
