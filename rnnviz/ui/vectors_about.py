"""What each view of word vectors shows: its equations, its source, and where it differs."""

from collections.abc import Mapping

import streamlit as st

FIRST = (
    "Mikolov, Chen, Corrado and Dean (2013a), Efficient estimation of word representations in "
    "vector space"
)
SECOND = (
    "Mikolov, Sutskever, Chen, Corrado and Dean (2013b), Distributed representations of words and "
    "phrases and their compositionality"
)
THIRD = (
    "Mikolov, Yih and Zweig (2013c), Linguistic regularities in continuous space word "
    "representations"
)
GLOVE = "Pennington, Socher and Manning (2014), GloVe: global vectors for word representation"
SHEET = "the CS230 cheat sheet on recurrent networks"
TSNE = "van der Maaten and Hinton (2008), Visualizing data using t-SNE"
LINZEN = "Linzen (2016), Issues in evaluating semantic spaces using word analogies"

ABOUT: Mapping[str, str] = {
    "lookup": r"""
A word is number $k$ of $V$ words. Its **one-hot** vector $o_w$ has a 1 at place $k$ and 0 at all
others; its **embedding** $e_w$ has $D$ numbers that were learned:

$$e_w = E\,o_w,\qquad E \in \mathbb{R}^{D \times V}$$

Programs never do this product: they take column $k$. Skip-gram and CBOW learn two matrices, one of
words as themselves and one of words as neighbours; shown is the first, as is usual. Of GloVe it is
the sum of both, as its authors have it. Source: {sheet}.
""",
    "step": r"""
With the logistic function $\sigma$, label $y = 1$ for the true word and $y = 0$ for $k$ drawn ones:

$$
L = -\ln \sigma(u_o \cdot v) - \sum_{i=1}^{k} \ln \sigma(-u_i \cdot v),\qquad
\frac{\partial L}{\partial (u \cdot v)} = \sigma(u \cdot v) - y
$$

- **Skip-gram**: $v$ is the centre's vector, the true word is a neighbour ({second}).
- **CBOW**: $v$ is the mean of the neighbours' vectors, the true word is the centre ({first}). Each
  neighbour gets its share of the gradient of the mean; the published program gives the whole to
  each.
- **Negatives** are drawn with probability $\propto \text{count}^{3/4}$; one that is the true word
  is left out. **Subsampling**: a word that makes up a share $f$ of the text is kept with
  probability $\min(1, \sqrt{t/f})$ each time. The **window** is drawn anew for each word, from 1 to
  the most.
- **GloVe** fits counts: $J = \sum f(X_{ij})\,(w_i \cdot \tilde w_j + b_i + \tilde b_j - \ln
  X_{ij})^2$ with $f(x) = \min(1, (x/x_{max})^{3/4})$ and AdaGrad ({glove}). Each neighbour counts 1
  / distance. The published program's loss is half of this.

Training adds up the steps of 256 pairs at the same weights, other than the published programs,
which go pair by pair. What is drawn here is what the next epoch draws at this place; the weights
are those after the epoch that is chosen, so it is the step that the next epoch would make if it
began here.
""",
    "neighbours": r"""
$$\cos\theta = \frac{e_w \cdot e_{w'}}{\lVert e_w \rVert\,\lVert e_{w'} \rVert}$$

Angles, not distances, because a vector's length grows with how often its word is learned. Near
words stand in like company: that may be the same meaning, its contrary, or the same place in a
sentence. Source: {sheet}.
""",
    "analogies": r"""
$a : b :: c : d$ is solved when $d$ is the word nearest by angle to

$$\hat e_b - \hat e_a + \hat e_c,\qquad \hat e = e / \lVert e \rVert$$

among all words but $a$, $b$ and $c$ (3CosAdd; {third}). Leaving out the three matters: without it
the answer is often $c$ or $b$ itself. So two lines stand beside the network's: a word drawn by
**chance**, and the word **nearest to c alone**, which needs no $a$ and $b$ ({linzen}). The invented
text is made so that its analogies hold, as counts of neighbours; that the vectors find them is
learned. Texts of this size solve few analogies of real language: those took billions of words.
""",
    "map": r"""
**PCA** is the plane in which the vectors lie farthest apart; distances in it are true to the
vectors', as far as its share of the variance goes. **t-SNE** ({tsne}) places words so that near
neighbours by angle stay near (perplexity 20). Read it with care: **distances between far groups,
the sizes of groups and empty space between them mean little**, and another seed gives another map.
What stands close together was close together.

Maps are made of the 400 most frequent words at most. So that an epoch's map can be compared with
the one before, the principal plane is turned and mirrored until it fits that best, and t-SNE begins
where the one before ended. So the directions of the axes mean nothing, and no axis has numbers.
Sources: {sheet}; {tsne}.
""",
}


def about(view: str) -> None:
    """Folded away until it is asked for."""
    text = ABOUT[view]
    named = {
        "{first}": FIRST,
        "{second}": SECOND,
        "{third}": THIRD,
        "{glove}": GLOVE,
        "{sheet}": SHEET,
        "{tsne}": TSNE,
        "{linzen}": LINZEN,
    }
    for name, source in named.items():
        text = text.replace(name, source)
    with st.expander("About this view: equations and sources"):
        st.markdown(text)
