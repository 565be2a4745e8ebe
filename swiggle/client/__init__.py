"""A client of a Swiggle server, for programs.

    from swiggle.client import Client

    with Client("http://127.0.0.1:8000") as client:
        edit = client.edit(client.sample(3), "make it a shark")
        edit.picture                                       # uint8 [128, 128, 3]
        client.steer(edit.session, edit.plan)              # the same picture, from the plan
        with client.stream() as stream:                    # a slider that moves; needs swiggle[stream]
            frame = stream.frame(edit.session, edit.plan)

`AsyncClient` has the same methods, to be awaited. A picture is a NumPy array uint8 [S, S, 3], the bytes of a PNG, JPEG
or WebP file, or the path of one; in its place a session may be given. Failures raise `ServerError`.
"""

from swiggle.client.answers import ActiveFeature, Edit, Encoded, Feature, ServerError
from swiggle.client.blocking import Client
from swiggle.client.concurrent import AsyncClient

__all__ = ["ActiveFeature", "AsyncClient", "Client", "Edit", "Encoded", "Feature", "ServerError"]
