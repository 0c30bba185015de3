"""What this station says to SAPIENT nodes below it: acknowledgements, errors, and requests to report.

Tasks. The standard lets a fusion node order its nodes about, weapons included. This one may only ask
sensors to report. Every Task is made here, by `task_for`, which refuses a node that is anything but a
sensor and a command that is not on the list; and `check` refuses, on the way out, a Task that came
about in any other way.
"""

from collections.abc import Sequence

from sapient_msg.bsi_flex_335_v2_0 import task_pb2 as tsk

from vedette.express import sapient as express
from vedette.express.sapient_node import Node as OwnNode
from vedette.express.sapient_node import new_message, report_id
from vedette.sense.sapient_nodes import Node
from vedette.wire.sapient import Fault, SapientMessage

REQUESTS = frozenset({"Registration", "Status"})
"""What a node may be asked for, in the words of the standard's samples: to say something."""
COMMANDS = frozenset({"request", "detection_threshold", "detection_report_rate", "look_at"})
"""Commands that make a sensor say more or look somewhere. What is not here cannot be sent: a mode may be
one that acts, and to move, patrol or follow is to send a vehicle after somebody."""
MOST_FAULTS = 8
MOST_FAULT_TEXT = 200


class TaskRefused(ValueError):
    """A Task that this station never sends."""


def task_for(own: OwnNode, node: Node, command: tsk.Task.Command, at_wall: float) -> SapientMessage:
    """The Task that gives one sensor one of the commands in `COMMANDS`. Raises TaskRefused."""
    message = new_message(own, at_wall, node.id)
    message.task.control = tsk.Task.CONTROL_START
    message.task.command.CopyFrom(command)
    message.task.task_id = report_id(own, message, at_wall)
    check(message, node)
    return message


def check(message: SapientMessage, node: Node | None) -> None:
    """Raises TaskRefused if ``message`` is a Task that this node may not be given."""
    if message.WhichOneof("content") != "task":
        return
    if node is None or node.effector or not node.only_senses:
        types = "unregistered" if node is None else ", ".join(node.types)
        raise TaskRefused(f"never tasked: only sensors are asked to report, and this node is {types}")
    if node.id != message.destination_id:
        raise TaskRefused("a Task goes to the node that it was made for")
    _check_task(message.task)


def _check_task(task: tsk.Task) -> None:
    command = task.command.WhichOneof("command")
    if task.control != tsk.Task.CONTROL_START or task.region:
        raise TaskRefused("only a start without regions is sent")
    if command not in COMMANDS:
        raise TaskRefused(f"the command {command} is never sent")
    if command == "request" and task.command.request not in REQUESTS:
        raise TaskRefused("only requests for a registration or a status are sent")
    if task.command.HasField("command_parameter"):
        raise TaskRefused("a command is sent without parameters")


def status_request(own: OwnNode, node: Node, at_wall: float) -> SapientMessage:
    """Ask a sensor for its status. Raises TaskRefused."""
    return task_for(own, node, tsk.Task.Command(request="Status"), at_wall)


def registration_ack(
    own: OwnNode, to: str, at_wall: float, *, accepted: bool, reasons: Sequence[str] = ()
) -> SapientMessage:
    """The answer to a Registration."""
    message = new_message(own, at_wall, to)
    message.registration_ack.acceptance = accepted
    message.registration_ack.ack_response_reason.extend(reasons)
    return message


def error(
    own: OwnNode, to: str | None, at_wall: float, packet: bytes, faults: Sequence[Fault | str]
) -> SapientMessage:
    """The answer to what cannot be used: the beginning of it, and what is wrong with it in words."""
    words = [str(fault)[:MOST_FAULT_TEXT] for fault in faults[:MOST_FAULTS]]
    return express.error(own, at_wall, packet=packet or b"\0", faults=words, to=to)


def alert_ack(own: OwnNode, to: str, at_wall: float, alert: str) -> SapientMessage:
    """Received, and shown at the desk."""
    return express.alert_ack(own, at_wall, alert=alert, to=to, reason="received and shown at the desk")
