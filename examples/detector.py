#!/usr/bin/env python3
"""A detector in ten lines: what it sees, as JSON, to a station. See docs/your-own-sensor.md."""

import json
import socket
import sys
import time

station = ("127.0.0.1", int(sys.argv[1]) if len(sys.argv) > 1 else 4050)
out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for second in range(30):
    range_m = 900.0 - 20.0 * second
    seen = {"kind": "range-bearing", "range_m": range_m, "azimuth_deg": 45.0, "elevation_deg": 8.0}
    sure = {"range_m": 5.0, "azimuth_deg": 1.0, "elevation_deg": 1.0}
    line = {"time": time.time(), "sensor": "my-detector", "scan": second, "measure": seen, "sigma": sure}
    out.sendto(json.dumps(line).encode(), station)
    time.sleep(1.0)
