"""A client of petAPI: the class PetApi, and the command `petapi`."""

from petapi_client.api import PetApi
from petapi_client.problem import BadInput, Problem, Unreachable
from petapi_client.values import Draw, Hit, Image, Label, LawPage, State, Uploaded

__all__ = [
    "BadInput",
    "Draw",
    "Hit",
    "Image",
    "Label",
    "LawPage",
    "PetApi",
    "Problem",
    "State",
    "Unreachable",
    "Uploaded",
]
