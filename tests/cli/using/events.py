"""What TensorBoard's own reader finds in a run's events, as JSON.

    python events.py RUN/tensorboard
"""

import json
import sys

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

events = EventAccumulator(sys.argv[1], size_guidance={"scalars": 0, "images": 0, "histograms": 0})
events.Reload()
tags = events.Tags()
print(json.dumps({
    "scalars": {tag: [[point.step, point.value] for point in events.Scalars(tag)] for tag in tags["scalars"]},
    "images": {tag: [[image.step, image.width, image.height] for image in events.Images(tag)] for tag in tags["images"]},
    "histograms": {
        tag: [[at.step, at.histogram_value.num, at.histogram_value.min, at.histogram_value.max] for at in events.Histograms(tag)]
        for tag in tags["histograms"]
    },
}))
