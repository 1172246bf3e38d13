"""A real RTSP server that shows a moving ball; run by the system's Python, which has GStreamer.

/usr/bin/python3 rtsp_server.py [ADDRESS:]PORT [CLIP]: with a clip in H.264
there is a main stream as well
"""

import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402  # the versions must come first

LAUNCH = (
    "( videotestsrc is-live=true pattern=ball "
    "! video/x-raw,format=I420,width=416,height=240,framerate=25/1 "
    "! jpegenc ! rtpjpegpay name=pay0 pt=26 )"
)

Gst.init(None)
address, _, port = sys.argv[1].rpartition(":")
server = GstRtspServer.RTSPServer(address=address or "127.0.0.1", service=port)
factory = GstRtspServer.RTSPMediaFactory(shared=True)
factory.set_launch(LAUNCH)
server.get_mount_points().add_factory("/camera", factory)
if len(sys.argv) > 2:
    main = GstRtspServer.RTSPMediaFactory(shared=True)
    main.set_launch(f"( filesrc location={sys.argv[2]} ! qtdemux ! rtph264pay name=pay0 pt=96 )")
    server.get_mount_points().add_factory("/main", main)
server.attach(None)
GLib.MainLoop().run()
