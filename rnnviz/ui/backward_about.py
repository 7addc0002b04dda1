"""What each view of Back through time shows: its equations, its source, and what was corrected."""

from collections.abc import Mapping

import streamlit as st

PASCANU = "Pascanu, Mikolov and Bengio (2013), On the difficulty of training recurrent networks"
NOTES = "the cs224d lecture notes, part 4"
LE = "Le, Jaitly and Hinton (2015), A simple way to initialize recurrent networks of ReLUs"

ABOUT: Mapping[str, str] = {
    "time": r"""
$\partial L/\partial h_t$ is all that the loss says to the state after step $t$: through the head,
through attention, and through every later step. One scan from the last step to the first finds it:

$$
\frac{\partial L}{\partial h_{t-1}} = J_t^{\top}\,\frac{\partial L}{\partial h_t} +
\text{what enters from above},\qquad J_t = \frac{\partial h_t}{\partial h_{t-1}}
$$

For the LSTM, $\partial L/\partial c_t$ includes what passes through $h_t = o \cdot \tanh(c_t)$ (the
cheat sheet's table leaves out this tanh). Norms are Euclidean, over units. Source: {notes}.
""",
    "matrix": r"""
Row $s$, column $t$: $\lVert \partial L_s / \partial h_t \rVert$. Where every step has a loss, $L_s$
is that of step $s$. Else it is the loss as if the sequence ended at step $s$: the head reads
$h_s$ there, and attention sees the steps up to $s$. To the right of the diagonal it is zero: no
loss depends on a later state. The backpropagation of all losses is the sum of the rows:
$\frac{\partial L}{\partial W} = \sum_s \sum_{t \le s}
\frac{\partial L_s}{\partial h_t}\frac{\partial h_t}{\partial W}$, as {notes} have it.
""",
    "jacobians": r"""
A nudge of the state $d$ steps before $t$ arrives multiplied by $J_t J_{t-1} \cdots J_{t-d+1}$. With
spectral norms

$$
\Bigl\lVert \prod J_i \Bigr\rVert \le \prod \lVert J_i \rVert \le \bigl(\lVert U \rVert
\max \lvert \mathrm{squash}' \rvert\bigr)^d,
$$

the last for the plain RNN only: {notes}, and {pascanu}. The largest slope is the largest that was
seen on these steps. Gradients vanish or explode with the number of steps $d$ (the cheat sheet says:
with the number of layers). The LSTM's memory has a straight way back, $c_{t-1} \to c_t$, whose
product is $\prod f_i$; the GRU's is $\prod z_i$, in torch's convention where $z$ keeps the old
state. The whole Jacobian of the LSTM is that of $(h, c)$.
""",
    "weights": r"""
The weights of a gate are used at every step, so their gradient is a sum over steps:

$$
\frac{\partial L}{\partial W_k} = \sum_t \delta_{k,t}\, x_t^{\top},\quad
\frac{\partial L}{\partial U_k} = \sum_t \delta_{k,t}\, h_{t-1}^{\top},\quad
\frac{\partial L}{\partial b_k} = \sum_t \delta_{k,t},
$$

with $\delta_{k,t}$ the loss's derivative by the gate before its squash. In torch's GRU the gate $r$
multiplies $U_n h + b$, so there $\delta$ is scaled by $r$ for $U_n$. It is the gradient of the
sequence that is shown, not of a batch. Source: {notes}.
""",
    "limits": r"""
**Truncation.** A gradient is a sum over paths; each takes some steps back through time, in whatever
layers. Followed $k$ steps, those of $k$ and more steps are left out. What enters a state
directly, as through attention, is always there.

**Clipping** is by norm, and keeps the direction: $g \leftarrow g \cdot \min(1, C / \lVert g
\rVert)$. (The cheat sheet's text says value where its picture shows norm.) Source: {pascanu}.
""",
    "wall": r"""
The unit $x_t = w\,\sigma(x_{t-1}) + b$ from $x_0 = 0.5$ over 50 steps, with the loss
$(\sigma(x_{50}) - 0.7)^2$. It settles in one of two places; where it tips from one
into the other the loss has a wall, at which one step without clipping throws the weights far away.
As in figure 6 of {pascanu}, with our own starts and rates.

**Your network**: the loss of the selected sequence over $\theta + x\,d_1 + y\,d_2$, with $\theta$
the weights of all recurrent layers, $d_1$ the loss's gradient and $d_2$ a random direction at right
angles to it, both of length 1. The readout stays as it is.
""",
    "health": r"""
**dead**: units of a ReLU that are zero at every step of all recorded sequences. **saturated**:
gate values within .05 of an end, where the sigmoid's slope is under a fifth of its largest.
**vanishing, exploding**: $\lVert \partial L/\partial h\rVert$ at the first step that is read,
divided by that at the last, the middle one of the recorded sequences; below $10^{-4}$, or
above $10^3$. Where each step has a loss, that of the last step is followed. **NaN**: numbers that
are not finite. Sources: {pascanu}; {le}. The thresholds are ours: orders of magnitude,
no tests.
""",
    "lockstep": r"""
Four networks of one width learn the same task from the same batches, an epoch each in turn: the RNN
with tanh, the RNN with ReLU started from the identity ($U = I$, biases 0; {le}), the GRU and the
LSTM. The gradient's norm at a distance $d$ is the mean of $\lVert \partial L / \partial h_{T-d}
\rVert$ over the recorded test sequences. They have not the same number of weights: a GRU has three,
an LSTM four times the RNN's. The task of names follows {notes}.
""",
}


def about(view: str) -> None:
    """Folded away until it is asked for."""
    text = ABOUT[view]
    for name, source in (("{notes}", NOTES), ("{pascanu}", PASCANU), ("{le}", LE)):
        text = text.replace(name, source)
    with st.expander("About this view: equations and sources"):
        st.markdown(text)
