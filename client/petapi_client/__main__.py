"""`python -m petapi_client` is the command `petapi`."""

import sys

from petapi_client.commands import main

sys.exit(main())
