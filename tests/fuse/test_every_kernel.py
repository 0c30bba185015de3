"""Every public kernel has a test that holds it, or the kernel it is a part of, against plain numpy.

Who writes a kernel adds it here, with the test that computes the same from its definition.
"""

import ast
import importlib
import pkgutil
from pathlib import Path

import pytest

import vedette.fuse.kernels as kernels

COUNTERPARTS = {
    "association": {
        "test_association.py::test_marginals_are_those_of_all_joint_events_counted_out": "associate",
    },
    "bodily": {
        "test_bodily.py::test_search_is_bayes_rule": "search",
        "test_bodily.py::test_a_look_expects_to_see_only_what_has_a_body": "expect",
    },
    "clutter": {
        "test_clutter.py::test_the_kernel_is_the_mathematics": "multiples above",
        "test_table_counterparts.py::test_the_cell_of_a_plot_is_that_of_its_place": "cells_of",
        "test_table_counterparts.py::test_false_plots_are_counted_and_fade": "count",
        "test_table_counterparts.py::test_young_tracks_of_a_crowded_cell_are_doubted": "disbelieve crowded",
    },
    "comparison": {
        "test_registration_kernels.py::test_a_comparison_is_that_of_the_reference": "compare",
        "test_registration_kernels.py::test_the_best_known_tracks_are_taken_in_their_order": "well_known",
        "test_registration_kernels.py::test_a_shift_is_the_motion_of_a_constant_velocity": "shift",
    },
    "coverage": {
        "test_coverage.py::test_the_kernel_is_the_mathematics": (
            "below within within_sector mixture inside clearance weight_of sigma_points uncovered shares"
        ),
        "test_table_counterparts.py::test_plots_are_in_view_as_far_as_the_ground_lets_them": "plots_in_view",
        "test_table_counterparts.py::test_what_is_missed_in_part_is_remembered": "in_sight expect remember",
        "test_table_counterparts.py::test_a_miss_counts_as_far_as_it_is_one": "doubt missed overlooked",
    },
    "crossing": {
        "test_ray_counterparts.py::test_all_crossings_of_two_looks_are_those_of_the_papers": (
            "cross_all solve"
        ),
        "test_ray_counterparts.py::test_of_a_body_that_is_new_no_two_have_heard": "unborn share_left within",
        "test_ray_counterparts.py::test_the_way_of_a_bearing_is_its_direction": "toward",
        "test_ray_counterparts.py::test_a_bearing_is_shared_out_between_its_crossings": "share",
    },
    "crowding": {
        "test_crowding.py::test_a_density_is_what_plain_numpy_says": "density",
        "test_table_counterparts.py::test_the_cell_of_a_report_is_that_of_its_place": "cell_of",
        "test_table_counterparts.py::test_false_plots_are_counted_and_fade": "faded",
    },
    "frontier": {
        "test_association.py::test_marginals_are_those_of_all_joint_events_counted_out": (
            "chain gather arrange seat settle_group"
        ),
    },
    "gating": {"test_sight.py::test_the_cheap_window_loses_no_pair_that_the_gate_would_take": "edges"},
    "imm": {
        "test_imm.py::test_mixing_is_that_of_blom_and_bar_shalom": "mix",
        "test_imm.py::test_prediction_is_mixing_and_each_model_s_motion": "advance predict",
        "test_imm.py::test_a_mixture_has_the_moments_of_its_parts": "combine",
        "test_imm.py::test_many_tracks_at_once_are_each_by_itself_to_the_bit": "predict_all combine_all",
        "test_imm.py::test_a_report_updates_every_model_by_kalman_and_their_probabilities_by_bayes": (
            "reweigh update"
        ),
    },
    "innovation": {
        "test_sight.py::test_the_cheap_window_loses_no_pair_that_the_gate_would_take": (
            "rows_in_use alike any_unlike any_raised spread_of fit innovate"
        ),
        "test_sight.py::test_rows_one_by_one_are_the_joint_update": "absorb",
    },
    "kalman": {
        "test_kernels.py::test_predict_is_the_constant_velocity_model": "predict",
        "test_imm.py::test_prediction_is_mixing_and_each_model_s_motion": "pin_height",
        "test_kernels.py::test_update_is_the_kalman_update": (
            "update update_scored measurement_rows innovation cholesky forward backward joseph finite"
        ),
        "test_kernels.py::test_score_measures_the_joint_distance_and_the_flat_density": "score predict_all",
        "test_kernels.py::test_close_pairs_are_those_of_comparing_each_with_each": "close_pairs",
        "test_table_counterparts.py::test_states_in_view_are_those_within_all_limits": "in_view",
    },
    "listening": {
        "test_ray_counterparts.py::test_many_rays_and_bearings_are_those_of_the_papers": "foretell hear",
        "test_ray_counterparts.py::test_the_rays_that_are_kept_are_those_that_exist": "keep",
        "test_ray_counterparts.py::test_new_rays_are_of_bearings_that_are_of_none": "sprout",
    },
    "nature": {
        "test_nature_kernels.py::test_the_bessel_function_is_scipys": "scaled_i0",
        "test_nature_kernels.py::test_the_likelihood_of_a_speed_is_that_of_plain_numpy": "rice",
        "test_nature_kernels.py::test_wind_spreads_speeds_as_plain_numpy_does": "blown",
        "test_nature_kernels.py::test_a_speed_is_that_of_plain_vectors": "speed_seen",
        "test_nature_kernels.py::test_a_step_of_time_is_that_of_plain_numpy": "foresee",
        "test_nature_kernels.py::test_the_first_lesson_counts_whole": "begin learn",
        "test_nature_kernels.py::test_a_look_is_bayes_over_classes_and_speeds": "look",
        "test_nature_kernels.py::test_the_velocity_is_that_of_the_models_that_do_not_stop": "under_way",
        "test_nature_kernels.py::test_a_voice_goes_its_way_up_and_down": "hark",
        "test_nature_kernels.py::test_looks_at_a_flickering_body_are_likelihood_ratios": "flicker",
        "test_nature_kernels.py::test_the_share_of_faint_bodies_is_that_of_em": "faint_odds",
        "test_nature_kernels.py::test_a_faint_body_is_expected_less": "faint_part dim",
        "test_nature_kernels.py::test_the_probability_of_a_class_is_the_sum_of_its_speeds": "masses",
    },
    "negative": {
        "test_negative.py::test_a_miss_is_bayes_rule_at_the_sigma_points": "away",
        "test_negative.py::test_regression_is_the_conditional_mean": "regression",
        "test_negative.py::test_the_rest_is_shifted_with_the_place": "shift",
        "test_negative.py::test_tracks_that_are_in_view_in_part_are_moved_and_no_others": "missed_behind",
    },
    "parsimony": {
        "test_registration_kernels.py::test_a_way_to_explain_is_weighed_as_in_closed_form": "held_small",
        "test_registration_kernels.py::test_two_figures_are_explained_as_by_enumeration": "explain",
    },
    "pmb": {"test_pmb.py::test_a_scan_is_that_of_williams_written_out": "scan weigh"},
    "polar": {
        "test_table_counterparts.py::test_states_that_plots_begin_are_their_places": "place begin begin_all",
    },
    "propagation": {
        "test_propagation.py::test_messages_settle_where_those_of_williams_and_lau_do": "marginals"
    },
    "revision": {"test_pmb.py::test_a_scan_is_that_of_williams_written_out": "revise"},
    "sight": {
        "test_sight.py::test_what_is_measured_and_its_derivative_are_those_of_the_reference": (
            "observe sight columns_of"
        ),
        "test_pmb.py::test_a_scan_is_that_of_williams_written_out": "sight_again",
        "test_sight.py::test_a_wrapped_angle_is_the_same_direction": "wrapped",
        "test_gating.py::test_the_difference_of_two_angles_is_turned_as_any_angle_is": "turned",
    },
    "suppositions": {
        "test_suppositions.py::test_tables_are_joined_and_the_likely_ones_kept": "keep",
        "test_suppositions.py::test_new_ones_stand_where_directions_cross_and_may_fly_anywhere": "begin",
        "test_suppositions.py::test_pairs_that_are_likely_bodies": "likely_ones",
        "test_suppositions.py::test_one_number_that_is_none_is_found": "all_sound",
    },
    "survival": {
        "test_table_counterparts.py::test_existence_falls_as_it_must": "fallen fallen_all",
        "test_table_counterparts.py::test_who_sends_is_bayes_rule": "heard_or_silent",
        "test_table_counterparts.py::test_a_body_known_by_ear_is_doubted_by_bayes_rule": "doubt",
        "test_table_counterparts.py::test_a_look_is_settled_track_by_track": "settle",
    },
    "swing": {
        "test_swing.py::test_a_second_adds_the_likelihood_of_each_bias": "listen",
        "test_swing.py::test_how_much_likelier_it_has_to_be": "elsewhere",
    },
    "tempering": {
        "test_registration_proof.py::test_an_inverse_is_one": "inverted",
        "test_registration_proof.py::test_a_second_counts_for_a_share_of_its_information": "temper",
        "test_registration_proof.py::test_proof_is_the_ratio_of_likelihoods": "evidence",
    },
    "wedge": {
        "test_ray_counterparts.py::test_new_bodies_along_bearings_are_density_times_ground": (
            "edges grounds new_along new_of"
        ),
        "test_ray_counterparts.py::test_a_range_is_weighed_by_what_the_direction_does": "by_motion",
        "test_ray_counterparts.py::test_a_range_is_weighed_by_what_others_hear": "by_hearing",
        "test_ray_counterparts.py::test_weights_add_up_to_one": "normalise",
    },
}  # fmt: skip
MODULES = sorted(module.name for module in pkgutil.iter_modules(kernels.__path__))


def public_kernels(module: str) -> list[str]:
    """What numba compiled there, by its public name, without what was only imported."""
    found = importlib.import_module(f"vedette.fuse.kernels.{module}")
    return sorted(
        name
        for name, one in vars(found).items()
        if not name.startswith("_") and hasattr(one, "py_func") and one.py_func.__module__ == found.__name__
    )


@pytest.mark.parametrize("module", MODULES)
def test_every_kernel_is_held_against_plain_numpy(module: str) -> None:
    listed = [name for names in COUNTERPARTS.get(module, {}).values() for name in names.split()]
    assert sorted(listed) == public_kernels(module), "add the kernel, and the test of its counterpart"


def test_the_tests_that_do_so_are_there() -> None:
    for place in {place for tests in COUNTERPARTS.values() for place in tests}:
        name, _, test = place.partition("::")
        tree = ast.parse(Path(__file__).with_name(name).read_text())
        assert test in {one.name for one in ast.walk(tree) if isinstance(one, ast.FunctionDef)}, place


def test_there_are_kernels() -> None:
    assert len(MODULES) > 20
    assert sum(len(public_kernels(module)) for module in MODULES) > 100
