"""A folder of images becomes rows: gpu-ae beside torchvision's ImageFolder with two workers, in turn, as ratios.

    python3 -m venv images-venv && images-venv/bin/pip install torch torchvision pillow numpy
    cargo build --release --bench images
    images-venv/bin/python benches/peers/images.py target/release/deps/images-… PHOTOS

PHOTOS is a folder of photographs; 10,000 parts of them, 256 x 256, are written as JPEG files of quality 85 to 90. Every
round decodes all of them to 32 x 32 by either program, gpu-ae with an empty cache. Leave the machine alone meanwhile.
"""

import os
import pathlib
import random
import statistics
import subprocess
import sys
import tempfile
import time

import torch
from PIL import Image
from torchvision import datasets, transforms

IMAGES, SIDE, ROUNDS = 10_000, 256, 5


def make(photos, folder):
    """Writes parts of photographs, in ten classes."""
    choose = random.Random(1)
    opened = [Image.open(path).convert("RGB") for path in sorted(photos.iterdir()) if path.suffix in (".jpg", ".png")]
    opened = [photo for photo in opened if min(photo.size) >= SIDE]
    for number in range(IMAGES):
        photo = choose.choice(opened)
        side = choose.randint(SIDE, min(photo.size))
        x, y = (choose.randint(0, most - side) for most in photo.size)
        part = photo.resize((SIDE, SIDE), Image.LANCZOS, (x, y, x + side, y + side))
        path = folder / f"class{number % 10}" / f"{number:05}.jpg"
        path.parent.mkdir(exist_ok=True)
        part.save(path, quality=choose.randint(85, 90))


def ours(program, folder):
    """Images a second, the start of the program included."""
    with tempfile.TemporaryDirectory() as cache:
        begun = time.perf_counter()
        subprocess.run(
            [program, folder, "32x32"], check=True, stdout=subprocess.DEVNULL, env={**os.environ, "GPU_AE_CACHE": cache}
        )
        return IMAGES / (time.perf_counter() - begun)


def theirs(folder):
    """Images a second, the start of the workers included."""
    begun = time.perf_counter()
    change = transforms.Compose([transforms.Resize((32, 32)), transforms.ToTensor()])
    loader = torch.utils.data.DataLoader(datasets.ImageFolder(folder, change), batch_size=256, num_workers=2)
    rows = sum(len(images) for images, _ in loader)
    return rows / (time.perf_counter() - begun)


def main():
    program, photos = os.path.abspath(sys.argv[1]), pathlib.Path(sys.argv[2])
    with tempfile.TemporaryDirectory() as folder:
        make(photos, pathlib.Path(folder))
        ratios = []
        for number in range(ROUNDS):
            us, them = ours(program, folder), theirs(folder)
            ratios.append(us / them)
            print(f"round {number}: gpu-ae {us:.0f} images a second, torchvision {them:.0f}, ratio {us / them:.2f}")
    print(f"median ratio {statistics.median(ratios):.2f}, from {min(ratios):.2f} to {max(ratios):.2f}")


if __name__ == "__main__":
    main()
