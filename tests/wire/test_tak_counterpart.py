"""Our protobuf against another implementation: @tak-ps/node-cot (npm), which runs under node.

VEDETTE_NODE_COT names a folder whose node_modules holds it; otherwise it is installed into a temporary
folder, and the test is skipped where that fails. It is no dependency.
"""

import json
import os
import shutil
import subprocess
from pathlib import Path

import msgspec
import pytest

from vedette.wire.cot import CotEvent, Remarks, SensorView, Takv
from vedette.wire.tak import read_payload, write_payload

T = 1_795_000_000.123
SCRIPT = """
import CoT from '@tak-ps/node-cot';
const lines = (await new Response(process.stdin).text()).trim().split('\\n');
for (const line of lines) {
    const { CoT: Named } = await import('@tak-ps/node-cot').then((m) => ({ CoT: m.CoT ?? m.default }));
    const cot = Named.from_proto(Buffer.from(line, 'hex'));
    console.log(JSON.stringify({
        raw: cot.raw, geojson: cot.to_geojson(), back: Buffer.from(cot.to_proto()).toString('hex'),
    }));
}
process.exit(0);
"""


@pytest.fixture(scope="module")
def node_cot(counterpart, tmp_path_factory):
    """(node, folder with the package)."""
    node = counterpart("node")
    folder = Path(os.environ.get("VEDETTE_NODE_COT", tmp_path_factory.mktemp("node-cot")))
    if not (folder / "node_modules" / "@tak-ps" / "node-cot").is_dir():
        _install(folder)
    return node, folder


def _install(folder):
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("npm is not installed: set VEDETTE_NODE_COT to a folder that holds @tak-ps/node-cot")
    command = [npm, "install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", str(folder)]
    try:
        subprocess.run([*command, "@tak-ps/node-cot@12"], check=True, capture_output=True, timeout=120)
    except (subprocess.SubprocessError, OSError) as error:
        pytest.skip(f"@tak-ps/node-cot cannot be installed here: {error}")


def through(node_cot, events):
    node, folder = node_cot
    script = folder / "oracle.mjs"
    script.write_text(SCRIPT, encoding="utf-8")
    lines = "\n".join(write_payload(event).hex() for event in events)
    done = subprocess.run(
        [node, str(script)], input=lines, capture_output=True, text=True, cwd=folder, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def drone(**changes):
    plain = CotEvent(
        uid="drone-1581F5FH123456789012", type="a-u-A-M-H-R", how="m-g", time=T, start=T, stale=T + 60.0,
        lat_deg=47.2, lon_deg=8.5, hae_m=520.0, ce_m=35.0, callsign="UAS ¿1", course_deg=90.0, speed_mps=12.5,
        remarks=Remarks(text="seen <twice> & ÿ"), takv=Takv(platform="Vedette", version="1"),
    )  # fmt: skip
    return msgspec.structs.replace(plain, **changes)


@pytest.mark.counterpart
def test_another_implementation_reads_what_we_write_and_we_read_what_it_writes(node_cot):
    view = SensorView(azimuth_deg=90.0, fov_deg=40.0, range_m=800.0)
    sent = [drone(), drone(uid="CAM-1", type="b-m-p-s-p-loc", sensor=view), drone(slope_deg=10.0)]
    got = through(node_cot, sent)
    assert len(got) == len(sent)
    for event, answer in zip(sent, got, strict=True):
        about = answer["raw"]["event"]
        assert about["_attributes"]["uid"] == event.uid
        assert about["_attributes"]["time"].endswith(".123Z")
        assert answer["geojson"]["geometry"]["coordinates"][:2] == [8.5, 47.2]
        assert answer["geojson"]["properties"]["callsign"] == "UAS ¿1"
        assert about["detail"]["remarks"]["_text"] == "seen <twice> & ÿ"
        back = read_payload(bytes.fromhex(answer["back"])).event
        # It adds elements of its own, and puts a track into its message though that has no slope.
        assert msgspec.structs.replace(back, ignored=0) == msgspec.structs.replace(event, slope_deg=None)
    assert got[1]["geojson"]["properties"]["sensor"] == {"azimuth": 90, "fov": 40, "range": 800}
