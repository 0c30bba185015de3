"""The gateway: the station's own way to phones, by WebSocket, for tens of thousands of them.

    peer (in the station)  who is connected, who may be told what, facts into the record
      |  pipe: a socket pair for each worker, nobody else has an end of it
    worker (1 to k processes)  connections, frames, bounds; knows no secret that it was not shown

A worker decides nothing. One that dies loses nothing: the outbox of the station has everybody who has not
acknowledged, and phones connect again. docs/gateway.md is the guide.
"""
