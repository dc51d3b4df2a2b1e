"""How the evaluation people differ from the train people, as a run sees it, and what correcting would change."""

import streamlit as st

from core.evaluation.best_classes import best_classes
from core.evaluation.calibration import expected_calibration_error, reliability_table
from core.evaluation.expected_score import expected_score
from core.evaluation.metrics import probabilities
from core.evaluation.shift import mix_table, moves
from core.taxonomy import CLASS_NAMES
from ui.calibrated import calibrated, drawn_truth, shift_draws
from ui.run_picker import pick_run
from ui.shift_charts import mix_chart, reliability_chart

_METHODS = ("bias", "axes", "temperature", "none")
_RULES = ("most probable class", "macro F1")

st.title("Shift")
st.caption(
    "What mix of gender and age the evaluation people have, as far as a run can tell, whether its probabilities mean "
    "what they say, and which photos would change class if predictions were corrected to that mix."
)
run = pick_run()
if run is None:
    st.stop()
left, right = st.columns(2)
method = left.selectbox(
    "calibration", _METHODS, key="calibrated-by", bind="query-params",
    help="bias: a temperature an axis, and a bias a value of it; axes: without the bias, and the estimate by EM runs "
    "away; temperature: one for all. Fitted on people that the network did not see.",
)  # fmt: skip
rule = right.selectbox(
    "decide for the", _RULES, key="rule", bind="query-params",
    help="Macro F1 counts a rare class as much as a common one, so it can pay to predict it below 50 %.",
)  # fmt: skip
known = calibrated(run, method=method)
shift, draws = known.shift, shift_draws(run, method=method)

st.subheader("The mix of the evaluation set", anchor=False)
table = mix_table(shift, draws)
mix_chart(table, key="mix")
old = table.group.str.contains(">=60")
st.markdown(
    f"People of 60 and over: **{table.train[old].sum():.0%}** of the train set, **{table.em[old].sum():.0%}** of the "
    f"evaluation set by EM, **{table.bbse[old].sum():.0%}** by BBSE. Lines are 95 % intervals by train person."
)
if not shift.is_steady:
    st.warning(
        f"The two estimates differ by {shift.gap:.0%} of the people: this run tells the groups apart too badly for "
        "either to be trusted. Queues do not correct by it unless told to. Try a better run."
    )
with st.expander("The same as numbers"):
    st.dataframe(
        table, hide_index=True, alt="Shares of the groups",
        column_config={name: st.column_config.NumberColumn(format="percent") for name in table if name != "group"},
    )  # fmt: skip

st.subheader("Do its probabilities mean what they say?", anchor=False)
raw, mended = probabilities(known.oof_logits), known.oof_probabilities()
errors = {
    "as the network says": expected_calibration_error(known.labels, raw),
    "calibrated": expected_calibration_error(known.labels, mended),
}
reliability_chart(
    {
        f"{name} (expected calibration error {errors[name]:.3f})": reliability_table(known.labels, found)
        for name, found in zip(errors, (raw, mended), strict=True)
    },
    key="reliability",
)
st.caption(
    f"{len(known.labels):,} train photos, each scored by a network that did not see the person. "
    "The calibration map is fitted on the same photos."
)

st.subheader("What the correction would change", anchor=False)
before = known.raw.argmax(axis=1)
after = best_classes(known.corrected) if rule == "macro F1" else known.corrected.argmax(axis=1)
changed = moves(before, after)
truth = drawn_truth(run, method=method)
columns = st.columns(3)
columns[0].metric("photos that change class", f"{int((before != after).sum()):,} of {len(before):,}")
for column, name, classes in zip(columns[1:], ("as predicted", "corrected"), (before, after), strict=True):
    expected = expected_score(truth, classes)
    column.metric(
        f"expected macro F1, {name}", f"{expected.mean:.3f}", help="If the estimates hold; 95 % interval below."
    )
    column.caption(
        f"{expected.low:.3f} to {expected.high:.3f}; public and private may differ by {expected.spread:.3f}"
    )
if changed.empty:
    st.info("No photo would change its class.")
else:
    names = {column: changed[column].map(dict(enumerate(CLASS_NAMES))) for column in ("before", "after")}
    st.dataframe(changed.assign(**names), hide_index=True, alt="Photos by class before and after", height=300)
