"""A link from this machine to itself, with a length, a width and loss.

    link.py ROUND_TRIP LOSS RATE CONGESTION     # seconds, part of one, bytes per second, a name

Whatever is sent to THERE comes back from there: source and destination change places, which
no checksum notices, since all of them are sums. So a connection from HERE to a port of THERE
arrives at that port of HERE, by the kernel's own TCP, and every packet of both ways crosses
this program: it holds it back for half a round trip and loses some by chance. Both ways share
the rate, behind a queue that holds one round trip of it and drops what comes then.

Connections over it have the named congestion control, as an attribute of their route: a
namespace may choose one so that it may not make its default.
"""

import collections
import fcntl
import os
import random
import select
import struct
import subprocess
import sys
import time

HERE, THERE = "10.9.0.1", "10.9.0.2"
NAME = "link0"
MTU = 1500
TUNSETIFF = 0x400454CA
IFF_TUN, IFF_NO_PI = 0x0001, 0x1000


def open_tun(congestion):
    tun = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(tun, TUNSETIFF, struct.pack("16sH", NAME.encode(), IFF_TUN | IFF_NO_PI))
    for command in (
        f"addr add {HERE}/32 dev {NAME}",
        f"link set {NAME} mtu {MTU} up",
        f"route add {THERE} dev {NAME} src {HERE} congctl {congestion}",
    ):
        subprocess.run(["ip", *command.split()], check=True)
    return tun


def arrived(tun):
    """The packets that wait, turned round."""
    there = bytes(map(int, THERE.split(".")))
    while True:
        try:
            packet = os.read(tun, MTU)
        except BlockingIOError:
            return
        # IPv4, and not what the kernel says to its neighbours.
        if packet[0] >> 4 == 4 and packet[16:20] == there:
            yield packet[:12] + packet[16:20] + packet[12:16] + packet[20:]


def carry(tun, round_trip, loss, rate):
    chance = random.Random(1)
    under_way = collections.deque()
    # When all has left that came before.
    free = 0.0
    while True:
        now = time.monotonic()
        while under_way and under_way[0][0] <= now:
            os.write(tun, under_way.popleft()[1])
        patience = max(0, under_way[0][0] - time.monotonic()) if under_way else None
        select.select([tun], [], [], patience)
        for packet in arrived(tun):
            now = time.monotonic()
            if free - now > round_trip:
                continue
            free = max(free, now) + len(packet) / rate
            if chance.random() >= loss:
                under_way.append((free + round_trip / 2, packet))


if __name__ == "__main__":
    tun = open_tun(sys.argv[4])
    print("ready", flush=True)
    carry(tun, *map(float, sys.argv[1:4]))
