"""NHANES study: BMI from a day of activity, as its script has it and as it should have been."""

from rnnviz.ui import studying, studying_hours, studying_settings
from rnnviz.ui.layout import pair

data = studying_settings.choose_data()
left, right = pair("study")
with left:
    studying.as_written(data)
with right:
    view = studying.corrected(data)
studying_hours.hours(view)
