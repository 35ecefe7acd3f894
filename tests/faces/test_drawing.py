"""The drawing tools: curves are linear in their points, shapes stay within their reach, masks
cut exactly.
"""

import cv2
import numpy as np
import pytest

from lib.faces.drawing import (
    SPAN,
    Canvas,
    Shape,
    canvas_side,
    closed,
    curve,
    ellipse,
    hull,
    stroke_outline,
    symmetric,
)

RED, BLUE = (200, 0, 0), (0, 0, 200)


def places(canvas):
    """x and y of the canvas's pixels, per cent."""
    line = (np.arange(canvas.side) + 0.5) / canvas.scale - SPAN / 2
    return np.meshgrid(line, line)


@pytest.mark.parametrize("make", [curve, closed])
def test_the_curve_between_two_point_sets_is_between_their_curves(make):
    one, other = np.random.default_rng(0).normal(size=(2, 6, 2))
    np.testing.assert_allclose(make((one + other) / 2), (make(one) + make(other)) / 2)


def test_curves_pass_through_their_points():
    points = np.random.default_rng(1).normal(size=(5, 2))
    np.testing.assert_allclose(curve(points, 4)[::4], points)
    np.testing.assert_allclose(closed(points, 4)[::4], points)


def test_a_stroke_is_as_wide_as_asked_in_its_middle_and_tapers():
    line = np.stack([np.linspace(0, 10, 11), np.zeros(11)], 1)
    outline = stroke_outline(line, 2.0, (0.5, 0.0))
    widths = outline[:11, 1] - outline[::-1][:11, 1]
    assert (
        widths[5] == pytest.approx(2)
        and widths[0] == pytest.approx(1)
        and widths[-1] == pytest.approx(0, abs=1e-6)
    )


def test_a_mirrored_outline_is_symmetric():
    outline = symmetric([(0, -3), (4, -1), (3, 2), (0, 4)])
    assert {tuple(p) for p in outline} == {tuple(p) for p in outline * [-1, 1]} and len(
        outline
    ) == 6


@pytest.mark.parametrize(
    "shape",
    [
        Shape(ellipse(3, -4, 8, 5), RED),
        Shape(ellipse(3, -4, 8, 5), RED, soft=3.0),
        Shape(curve(np.array([(-9, 0), (0, 6.0), (9, 1)])), RED, width=4.0, alpha=0.5, soft=1.0),
    ],
)
def test_nothing_is_drawn_beyond_a_shapes_reach(shape):
    base = Canvas(64).draw([Shape(ellipse(0, 0, 50, 50), BLUE)])
    drawn = Canvas(64, base.pixels.copy()).draw([shape])
    changed = (drawn.pixels != base.pixels).any(-1)
    x, y = places(drawn)
    outline = shape.points.astype(np.float32)
    if shape.width:
        away = np.hypot(
            x[changed][:, None] - outline[:, 0], y[changed][:, None] - outline[:, 1]
        ).min(1)
    else:
        away = np.array(
            [
                -cv2.pointPolygonTest(outline, (float(a), float(b)), True)
                for a, b in zip(x[changed], y[changed], strict=True)
            ]
        )
    assert changed.any() and away.max() <= shape.reach + 2 / drawn.scale  # the antialiased rim
    assert Canvas(64).mask([hull([shape], margin=0.8)])[changed].min() > 0


def test_what_lies_inside_a_shape_is_seen_only_there():
    window = ellipse(0, 0, 10, 6)
    canvas = Canvas(64).draw(
        [
            Shape(ellipse(0, 0, 40, 40), BLUE),
            Shape(window, (255, 255, 255), inside=(Shape(ellipse(8, 0, 9, 9), RED),)),
        ]
    )
    x, y = places(canvas)
    red = (canvas.pixels[..., 0] > 150) & (canvas.pixels[..., 2] < 60)
    radius = np.hypot(x / 10, y / 6)
    assert red[radius < 0.85].any() and not red[radius > 1.15].any()
    assert (canvas.pixels[(radius > 1.2) & (np.hypot(x, y) < 38)][:, 2] == 200).all()


def test_a_canvas_shows_the_span_at_twice_the_resolution_and_ellipses_have_their_area():
    canvas = Canvas(100)
    assert canvas.side == canvas_side(100) == round(2 * SPAN)
    area = (
        canvas.draw([Shape(ellipse(0, 0, 20, 10, 90), RED)]).pixels[..., 3].sum()
        / 255
        / canvas.scale**2
    )
    rim = 0.5 / canvas.scale  # cv2 draws an outline half a pixel to the outside
    assert np.pi * 200 <= area <= 1.02 * np.pi * (20 + rim) * (10 + rim)
