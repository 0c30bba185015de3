"""The console: the HTTP API and the web page, for the desk on the same machine."""

from vedette.console.app import create_app as create_app
from vedette.console.server import Server as Server
from vedette.console.server import serve as serve
from vedette.console.source import Source as Source
