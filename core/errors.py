"""The one family of errors that a user can mend.

Each message says what is wrong, the value that was found, and the next step. The command line
prints it as one line with exit status 1, the app shows it as a message; every other exception is
a bug and stays a traceback.
"""


class LabelingError(Exception):
    """Base of all errors whose message is meant for the user."""


class DatasetError(LabelingError):
    """The photos or their csv files cannot be read as the competition's layout."""


class ConfigError(LabelingError):
    """A setting is unknown, out of range, or contradicts another."""


class RunError(LabelingError):
    """A run or job does not exist, is unfinished, or does not fit the data set."""


class DecisionError(LabelingError):
    """A decision names an unknown photo or label, or the decision store cannot be used."""


class SubmissionError(LabelingError):
    """A submission file is not what the organisers' form asks for."""
