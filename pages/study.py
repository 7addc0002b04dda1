"""NHANES study: BMI from a day of activity, as its script has it and as it should have been."""

from rnnviz.ui import studying
from rnnviz.ui.layout import pair

data = studying.choose_data()
left, right = pair("study")
with left:
    studying.as_written(data)
with right:
    studying.corrected(data)
