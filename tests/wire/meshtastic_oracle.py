"""Runs in the Python that has Meshtastic's own library, as a process of its own; it never imports Vedette.

``parse``: hexadecimal ``ToRadio`` messages on standard input, one a line -> what the library reads in
them, as JSON lines. ``make``: -> hexadecimal ``FromRadio`` messages of a node, with names. ``client HOST
PORT``: the library's own client connects to a node there, broadcasts one packet of the private port, and
prints what it knows of the node and the first packet of that port that it hears.
"""

import json
import sys
import time

from meshtastic.protobuf import channel_pb2, config_pb2, mesh_pb2, portnums_pb2


def parse() -> None:
    for line in sys.stdin:
        message = mesh_pb2.ToRadio()
        message.ParseFromString(bytes.fromhex(line))
        packet = message.packet
        print(
            json.dumps(
                {
                    "kind": message.WhichOneof("payload_variant"),
                    "want_config": message.want_config_id,
                    "to": packet.to,
                    "channel": packet.channel,
                    "id": packet.id,
                    "hops": packet.hop_limit,
                    "want_ack": packet.want_ack,
                    "priority": mesh_pb2.MeshPacket.Priority.Name(packet.priority),
                    "port": portnums_pb2.PortNum.Name(packet.decoded.portnum),
                    "payload": packet.decoded.payload.hex(),
                    "limit": mesh_pb2.Constants.DATA_PAYLOAD_LEN,
                }
            )
        )


def make() -> None:
    told = []

    def tell(name: str) -> mesh_pb2.FromRadio:
        message = mesh_pb2.FromRadio()
        message.id = len(told) + 1
        told.append((name, message))
        return message

    tell("my-info").my_info.my_node_num = 0x11223344
    lora = tell("lora").config.lora
    lora.use_preset, lora.region, lora.hop_limit, lora.tx_enabled = True, 3, 3, True
    lora.modem_preset = config_pb2.Config.LoRaConfig.MEDIUM_FAST
    lora.tx_power = -5
    tell("device").config.device.role = 2
    channel = tell("channel").channel
    channel.index, channel.role = 1, channel_pb2.Channel.SECONDARY
    channel.settings.name, channel.settings.psk = "alpha", bytes(32)
    tell("node").node_info.num = 7
    tell("complete").config_complete_id = 69420
    queue = tell("queue").queueStatus
    queue.res, queue.free, queue.maxlen, queue.mesh_packet_id = -1, 15, 16, 0xDEADBEEF
    packet = tell("packet").packet
    setattr(packet, "from", 0x55667788)
    packet.to, packet.id, packet.channel, packet.hop_limit = 0xFFFFFFFF, 99, 1, 2
    packet.rx_snr, packet.rx_rssi, packet.via_mqtt, packet.rx_time = -7.25, -118, True, 1_800_000_000
    packet.decoded.portnum, packet.decoded.payload = portnums_pb2.PRIVATE_APP, b"sealed"
    text = tell("text").packet
    text.decoded.portnum, text.decoded.payload = portnums_pb2.TEXT_MESSAGE_APP, b"a stranger's words"
    routing = tell("routing").packet
    routing.decoded.portnum, routing.decoded.request_id = portnums_pb2.ROUTING_APP, 4711
    reason = mesh_pb2.Routing(error_reason=mesh_pb2.Routing.MAX_RETRANSMIT)
    routing.decoded.payload = reason.SerializeToString()
    good = tell("relayed").packet
    good.decoded.portnum, good.decoded.request_id = portnums_pb2.ROUTING_APP, 4712
    good.decoded.payload = mesh_pb2.Routing(error_reason=mesh_pb2.Routing.NONE).SerializeToString()
    tell("rebooted").rebooted = True
    tell("log").log_record.message = "a line"
    for name, message in told:
        print(json.dumps({"name": name, "hex": message.SerializeToString().hex()}))


def client(host: str, port: str) -> None:
    from meshtastic.tcp_interface import TCPInterface
    from pubsub import pub

    heard: list[str] = []

    def take(packet: dict, interface: object) -> None:
        if packet.get("decoded", {}).get("portnum") == "PRIVATE_APP":
            heard.append(packet["decoded"]["payload"].hex())

    pub.subscribe(take, "meshtastic.receive")
    there = TCPInterface(host, portNumber=int(port))
    node = there.localNode
    print(
        json.dumps(
            {
                "node": there.myInfo.my_node_num,
                "preset": config_pb2.Config.LoRaConfig.ModemPreset.Name(node.localConfig.lora.modem_preset),
                "region": config_pb2.Config.LoRaConfig.RegionCode.Name(node.localConfig.lora.region),
                "channels": {
                    c.index: [c.role, c.settings.name, len(c.settings.psk)] for c in node.channels or []
                },
            }
        ),
        flush=True,
    )
    there.sendData(b"from the library", portNum=portnums_pb2.PRIVATE_APP, channelIndex=1, wantAck=True)
    for _ in range(200):
        if heard:
            break
        time.sleep(0.05)
    print(json.dumps({"heard": heard}), flush=True)
    there.close()


if __name__ == "__main__":
    {"parse": parse, "make": make, "client": client}[sys.argv[1]](*sys.argv[2:])
