import sys

from symgnn_pyg.cli import main

sys.exit(main())
