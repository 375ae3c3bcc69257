"""Train on Hugging Face Jobs: `python -m train.job --flavor a10g-small -- train.sketch --data FOLDER --push-to USER/REPO`.

The job runs a Space's code (`--space`, your duplicate), sees a data set of the Hub as /data (`--dataset`; then train with
`--data /data`), and leaves nothing but what it pushes.
"""

import argparse
import os
import shlex
import sys

from huggingface_hub import HfApi, JobInfo, Volume, get_token

from train.publish import PublishError, check, told

IMAGE = "python:3.11"  # the requirements bring torch with CUDA
SETUP = "cp -r /code /tmp/isneaker && cd /tmp/isneaker && pip install -q -r requirements-dev.txt"


def submit(
    command: list[str], space: str, dataset: str = "", flavor: str = "a10g-small", timeout: str = "2h",
    secrets: dict[str, str] = {}, image: str = IMAGE,
) -> JobInfo:  # fmt: skip
    """Run a training command, its module first, as a job of the Hub. The token in use goes with it, as a secret.

    Raises PublishError where the command pushes nowhere, or where the token may not write to there.
    """
    pushing = argparse.ArgumentParser(add_help=False)
    pushing.add_argument("--push-to")
    target = pushing.parse_known_args(command)[0].push_to
    if not target:
        raise PublishError("what a job trains is lost unless its command has --push-to USER/REPO")
    check(target)
    volumes = [Volume(type="space", source=space, mount_path="/code")]
    volumes += [Volume(type="dataset", source=dataset, mount_path="/data")] if dataset else []
    run = f"{SETUP} && exec accelerate launch -m {shlex.join(command)}"  # all GPUs of the flavour
    with told("the job was refused"):
        return HfApi().run_job(
            image=image, command=["bash", "-c", run], flavor=flavor, timeout=timeout, volumes=volumes,
            secrets={"HF_TOKEN": get_token()} | secrets, name=command[0].replace(".", "-"),
        )  # fmt: skip


def secret(text: str) -> tuple[str, str]:
    """NAME=VALUE, or NAME of an environment variable -> name, value."""
    name, given, value = text.partition("=")
    if not given and name not in os.environ:
        raise argparse.ArgumentTypeError(f"there is no environment variable {name}")
    return name, value if given else os.environ[name]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--space", required=True, help="USER/SPACE whose code is run")
    parser.add_argument("--dataset", default="", help="USER/DATASET that the job sees as /data")
    parser.add_argument("--flavor", default="a10g-small", help="hardware, see `hf jobs hardware`")
    parser.add_argument("--timeout", default="2h", help="90m, 2h, 1d ...")
    parser.add_argument("--secret", type=secret, action="append", default=[], help="NAME=VALUE, or NAME to pass on")
    parser.add_argument("--image", default=IMAGE)
    parser.add_argument("command", nargs="+", help="after --: train.sketch and its options")
    options = vars(parser.parse_args())
    try:
        job = submit(secrets=dict(options.pop("secret")), **options)
    except PublishError as error:
        print(f"job: {error}", file=sys.stderr)
        return 2
    print(job.id)
    print(f"{job.url}\nFollow it: hf jobs logs -f {job.id}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
