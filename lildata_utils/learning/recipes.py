"""The networks that can be trained, by the names that the command line has for them."""

from lildata_utils.networks.classifier import LIL_DATA, SOFTMAX
from lildata_utils.networks.lstm import LSTM
from lildata_utils.networks.resnet import RESNET50

CLASSIFIERS = {network.name: network for network in (SOFTMAX, LIL_DATA, RESNET50)}
NETWORKS = {**CLASSIFIERS, LSTM.name: LSTM}
