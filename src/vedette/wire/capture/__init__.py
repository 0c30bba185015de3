"""Capture files: pcap, pcapng and btsnoop readers that stream, and a pcap writer.

`read_batches(path)` yields `FrameBatch`es for decoders that work on arrays, `read_records(path)`
one `Record` at a time; memory stays constant whatever the size of the file.
"""

from vedette.wire.capture.batch import FrameBatch as FrameBatch
from vedette.wire.capture.batch import Record as Record
from vedette.wire.capture.reader import CaptureReader as CaptureReader
from vedette.wire.capture.reader import read_batches as read_batches
from vedette.wire.capture.reader import read_records as read_records
from vedette.wire.capture.writer import PcapWriter as PcapWriter
