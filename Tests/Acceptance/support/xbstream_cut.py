"""xbstream_cut.py FILE: writes an xbstream without its last member, cut exactly between two chunks: mbstream itself
unpacks that without a complaint."""
import struct
import sys

data = open(sys.argv[1], "rb").read()
position, starts = 0, {}
while position < len(data):
    assert data[position:position + 8] == b"XBSTCK01", position
    start, kind = position, data[position + 9:position + 10]
    (name_length,) = struct.unpack_from("<I", data, position + 10)
    name = data[position + 14:position + 14 + name_length]
    position += 14 + name_length
    if kind in (b"P", b"S"):
        holes = 0
        if kind == b"S":
            (holes,) = struct.unpack_from("<I", data, position)
            position += 4
        (length,) = struct.unpack_from("<Q", data, position)
        position += 8 + 8 + 4 + holes * 8 + length
    starts.setdefault(name, start)
sys.stdout.buffer.write(data[:max(starts.values())])
