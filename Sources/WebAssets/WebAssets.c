#include "WebAssets.h"

#pragma clang diagnostic ignored "-Wc23-extensions"

static const unsigned char index_html[] = {
#embed "page/index.html"
};
static const unsigned char icon_svg[] = {
#embed "page/icon.svg"
};
static const unsigned char css_base_css[] = {
#embed "page/css/base.css"
};
static const unsigned char css_parts_css[] = {
#embed "page/css/parts.css"
};
static const unsigned char css_views_css[] = {
#embed "page/css/views.css"
};
static const unsigned char js_dom_js[] = {
#embed "page/js/dom.js"
};
static const unsigned char js_format_js[] = {
#embed "page/js/format.js"
};
static const unsigned char js_main_js[] = {
#embed "page/js/main.js"
};
static const unsigned char js_prefs_js[] = {
#embed "page/js/prefs.js"
};
static const unsigned char js_router_js[] = {
#embed "page/js/router.js"
};
static const unsigned char js_rpc_js[] = {
#embed "page/js/rpc.js"
};
static const unsigned char js_text_js[] = {
#embed "page/js/text.js"
};
static const unsigned char js_ui_js[] = {
#embed "page/js/ui.js"
};
static const unsigned char js_model_candidates_js[] = {
#embed "page/js/model/candidates.js"
};
static const unsigned char js_model_diff_js[] = {
#embed "page/js/model/diff.js"
};
static const unsigned char js_model_family_js[] = {
#embed "page/js/model/family.js"
};
static const unsigned char js_model_program_js[] = {
#embed "page/js/model/program.js"
};
static const unsigned char js_model_results_js[] = {
#embed "page/js/model/results.js"
};
static const unsigned char js_model_run_js[] = {
#embed "page/js/model/run.js"
};
static const unsigned char js_model_spans_js[] = {
#embed "page/js/model/spans.js"
};
static const unsigned char js_parts_assessments_js[] = {
#embed "page/js/parts/assessments.js"
};
static const unsigned char js_parts_chart_js[] = {
#embed "page/js/parts/chart.js"
};
static const unsigned char js_parts_chat_js[] = {
#embed "page/js/parts/chat.js"
};
static const unsigned char js_parts_columns_js[] = {
#embed "page/js/parts/columns.js"
};
static const unsigned char js_parts_course_js[] = {
#embed "page/js/parts/course.js"
};
static const unsigned char js_parts_data_js[] = {
#embed "page/js/parts/data.js"
};
static const unsigned char js_parts_diff_js[] = {
#embed "page/js/parts/diff.js"
};
static const unsigned char js_parts_family_tree_js[] = {
#embed "page/js/parts/family-tree.js"
};
static const unsigned char js_parts_files_js[] = {
#embed "page/js/parts/files.js"
};
static const unsigned char js_parts_filter_js[] = {
#embed "page/js/parts/filter.js"
};
static const unsigned char js_parts_grid_js[] = {
#embed "page/js/parts/grid.js"
};
static const unsigned char js_parts_probe_curve_js[] = {
#embed "page/js/parts/probe-curve.js"
};
static const unsigned char js_parts_program_diff_js[] = {
#embed "page/js/parts/program-diff.js"
};
static const unsigned char js_parts_retrieve_js[] = {
#embed "page/js/parts/retrieve.js"
};
static const unsigned char js_parts_run_table_js[] = {
#embed "page/js/parts/run-table.js"
};
static const unsigned char js_parts_span_detail_js[] = {
#embed "page/js/parts/span-detail.js"
};
static const unsigned char js_parts_spending_js[] = {
#embed "page/js/parts/spending.js"
};
static const unsigned char js_parts_trace_list_js[] = {
#embed "page/js/parts/trace-list.js"
};
static const unsigned char js_parts_values_js[] = {
#embed "page/js/parts/values.js"
};
static const unsigned char js_parts_verdict_js[] = {
#embed "page/js/parts/verdict.js"
};
static const unsigned char js_parts_virtual_js[] = {
#embed "page/js/parts/virtual.js"
};
static const unsigned char js_views_candidate_js[] = {
#embed "page/js/views/candidate.js"
};
static const unsigned char js_views_compare_js[] = {
#embed "page/js/views/compare.js"
};
static const unsigned char js_views_experiment_js[] = {
#embed "page/js/views/experiment.js"
};
static const unsigned char js_views_experiments_js[] = {
#embed "page/js/views/experiments.js"
};
static const unsigned char js_views_plain_js[] = {
#embed "page/js/views/plain.js"
};
static const unsigned char js_views_run_js[] = {
#embed "page/js/views/run.js"
};
static const unsigned char js_views_search_js[] = {
#embed "page/js/views/search.js"
};
static const unsigned char js_views_trace_js[] = {
#embed "page/js/views/trace.js"
};

const struct web_asset web_assets[] = {
  {"index.html", index_html, sizeof index_html},
  {"icon.svg", icon_svg, sizeof icon_svg},
  {"css/base.css", css_base_css, sizeof css_base_css},
  {"css/parts.css", css_parts_css, sizeof css_parts_css},
  {"css/views.css", css_views_css, sizeof css_views_css},
  {"js/dom.js", js_dom_js, sizeof js_dom_js},
  {"js/format.js", js_format_js, sizeof js_format_js},
  {"js/main.js", js_main_js, sizeof js_main_js},
  {"js/prefs.js", js_prefs_js, sizeof js_prefs_js},
  {"js/router.js", js_router_js, sizeof js_router_js},
  {"js/rpc.js", js_rpc_js, sizeof js_rpc_js},
  {"js/text.js", js_text_js, sizeof js_text_js},
  {"js/ui.js", js_ui_js, sizeof js_ui_js},
  {"js/model/candidates.js", js_model_candidates_js, sizeof js_model_candidates_js},
  {"js/model/diff.js", js_model_diff_js, sizeof js_model_diff_js},
  {"js/model/family.js", js_model_family_js, sizeof js_model_family_js},
  {"js/model/program.js", js_model_program_js, sizeof js_model_program_js},
  {"js/model/results.js", js_model_results_js, sizeof js_model_results_js},
  {"js/model/run.js", js_model_run_js, sizeof js_model_run_js},
  {"js/model/spans.js", js_model_spans_js, sizeof js_model_spans_js},
  {"js/parts/assessments.js", js_parts_assessments_js, sizeof js_parts_assessments_js},
  {"js/parts/chart.js", js_parts_chart_js, sizeof js_parts_chart_js},
  {"js/parts/chat.js", js_parts_chat_js, sizeof js_parts_chat_js},
  {"js/parts/columns.js", js_parts_columns_js, sizeof js_parts_columns_js},
  {"js/parts/course.js", js_parts_course_js, sizeof js_parts_course_js},
  {"js/parts/data.js", js_parts_data_js, sizeof js_parts_data_js},
  {"js/parts/diff.js", js_parts_diff_js, sizeof js_parts_diff_js},
  {"js/parts/family-tree.js", js_parts_family_tree_js, sizeof js_parts_family_tree_js},
  {"js/parts/files.js", js_parts_files_js, sizeof js_parts_files_js},
  {"js/parts/filter.js", js_parts_filter_js, sizeof js_parts_filter_js},
  {"js/parts/grid.js", js_parts_grid_js, sizeof js_parts_grid_js},
  {"js/parts/probe-curve.js", js_parts_probe_curve_js, sizeof js_parts_probe_curve_js},
  {"js/parts/program-diff.js", js_parts_program_diff_js, sizeof js_parts_program_diff_js},
  {"js/parts/retrieve.js", js_parts_retrieve_js, sizeof js_parts_retrieve_js},
  {"js/parts/run-table.js", js_parts_run_table_js, sizeof js_parts_run_table_js},
  {"js/parts/span-detail.js", js_parts_span_detail_js, sizeof js_parts_span_detail_js},
  {"js/parts/spending.js", js_parts_spending_js, sizeof js_parts_spending_js},
  {"js/parts/trace-list.js", js_parts_trace_list_js, sizeof js_parts_trace_list_js},
  {"js/parts/values.js", js_parts_values_js, sizeof js_parts_values_js},
  {"js/parts/verdict.js", js_parts_verdict_js, sizeof js_parts_verdict_js},
  {"js/parts/virtual.js", js_parts_virtual_js, sizeof js_parts_virtual_js},
  {"js/views/candidate.js", js_views_candidate_js, sizeof js_views_candidate_js},
  {"js/views/compare.js", js_views_compare_js, sizeof js_views_compare_js},
  {"js/views/experiment.js", js_views_experiment_js, sizeof js_views_experiment_js},
  {"js/views/experiments.js", js_views_experiments_js, sizeof js_views_experiments_js},
  {"js/views/plain.js", js_views_plain_js, sizeof js_views_plain_js},
  {"js/views/run.js", js_views_run_js, sizeof js_views_run_js},
  {"js/views/search.js", js_views_search_js, sizeof js_views_search_js},
  {"js/views/trace.js", js_views_trace_js, sizeof js_views_trace_js},
  {NULL, NULL, 0},
};

const struct web_asset *web_asset_at(size_t index) { return &web_assets[index]; }
