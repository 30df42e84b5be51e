"""The networks that can be trained, by the names that the command line has for them."""

from lildata_utils.classifier import LIL_DATA, SOFTMAX
from lildata_utils.lstm import LSTM
from lildata_utils.resnet import RESNET50

CLASSIFIERS = {network.name: network for network in (SOFTMAX, LIL_DATA, RESNET50)}
NETWORKS = {**CLASSIFIERS, LSTM.name: LSTM}
