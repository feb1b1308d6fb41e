from symgnn_pyg.deprecated import accept_old_names
from symgnn_pyg.nn.conv import *
from symgnn_pyg.nn.conv import __all__ as conv_classes
from symgnn_pyg.nn.loss import *
from symgnn_pyg.nn.loss import __all__ as loss_classes
from symgnn_pyg.nn.models import *
from symgnn_pyg.nn.models import __all__ as model_classes
from symgnn_pyg.nn.pool import *
from symgnn_pyg.nn.pool import __all__ as pool_classes

__all__ = conv_classes + pool_classes + model_classes + loss_classes

accept_old_names(globals())

# Built from the layers above.
from symgnn_pyg.nn import baselines as baselines  # noqa: E402
