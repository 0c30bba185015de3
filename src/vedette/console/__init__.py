"""The console: the HTTP API and the web page, for those who have an account."""

from vedette.console.app import create_app as create_app
from vedette.console.entrance import AccountEntrance as AccountEntrance
from vedette.console.entrance import DemoEntrance as DemoEntrance
from vedette.console.server import Server as Server
from vedette.console.server import TlsFiles as TlsFiles
from vedette.console.server import serve as serve
from vedette.console.source import Source as Source
