const words = (text: string): readonly string[] => text.trim().split(/\s+/)

/**
 * Functions that an expression may use: those of the engine's core that give the same answer for the same arguments.
 * Left out: whatever reads the clock, chance, the session, settings, files or sequences, and what fails on purpose.
 */
export const SCALAR_FUNCTIONS: ReadonlySet<string> = new Set(
  words(`
  abs acos acosh add array_aggr array_aggregate array_append array_apply array_cat array_concat array_contains
  array_cosine_distance array_cosine_similarity array_cross_product array_distance array_distinct array_dot_product
  array_extract array_filter array_grade_up array_has array_has_all array_has_any array_indexof array_inner_product
  array_intersect array_length array_pop_back array_pop_front array_position array_prepend array_push_back
  array_push_front array_reduce array_resize array_reverse array_reverse_sort array_select array_slice array_sort
  array_to_string array_transform array_unique array_value array_where array_zip ascii asin asinh atan atan2 atanh
  bar base64 bin bit_count bit_length bit_position bitstring cardinality cbrt ceil ceiling century char_length
  character_length chr coalesce concat concat_ws contains cos cosh cot damerau_levenshtein date_add date_diff date_part
  date_sub date_trunc datediff datepart datesub datetrunc day dayname dayofmonth dayofweek dayofyear decade decode
  degrees divide editdist3 element_at encode ends_with epoch epoch_ms epoch_ns epoch_us era even exp factorial fdiv
  filter flatten floor fmod format format_bytes from_base64 from_binary from_hex gamma gcd generate_series get_bit
  greatest greatest_common_divisor hamming hash hex hour if ifnull instr isfinite isinf isnan isodow isoyear jaccard
  jaro_similarity jaro_winkler_similarity julian last_day lcase lcm least least_common_multiple left left_grapheme len
  length length_grapheme levenshtein lgamma list_aggr list_aggregate list_any_value list_append list_apply list_avg
  list_bit_and list_bit_or list_bit_xor list_bool_and list_bool_or list_cat list_concat list_contains
  list_cosine_distance list_cosine_similarity list_count list_distance list_distinct list_dot_product list_element
  list_entropy list_extract list_filter list_first list_grade_up list_has list_has_all list_has_any list_histogram
  list_indexof list_inner_product list_intersect list_kurtosis list_last list_mad list_max list_median list_min
  list_mode list_pack list_position list_prepend list_product list_reduce list_resize list_reverse list_reverse_sort
  list_select list_sem list_skewness list_slice list_sort list_stddev_pop list_stddev_samp list_string_agg list_sum
  list_transform list_unique list_value list_var_pop list_var_samp list_where list_zip ln log log10 log2 lower lpad
  ltrim make_date make_time make_timestamp make_timestamp_ms make_timestamp_ns map map_concat map_contains
  map_contains_entry map_contains_value map_entries map_extract map_extract_value map_from_entries map_keys map_values
  md5 md5_number microsecond millennium millisecond minute mismatches mod month monthname multiply nanosecond nextafter
  nfc_normalize normalized_interval nullif octet_length ord parse_dirname parse_dirpath parse_filename parse_path pi
  pow power prefix printf quarter radians range reduce regexp_escape regexp_extract regexp_extract_all
  regexp_full_match regexp_matches regexp_replace regexp_split_to_array repeat replace reverse right right_grapheme
  round round_even roundbankers row rpad rtrim second set_bit sha1 sha256 sign signbit sin sinh split split_part sqrt
  starts_with str_split str_split_regex strftime string_split string_split_regex string_to_array strip_accents strlen
  strpos strptime struct_concat struct_contains struct_extract struct_extract_at struct_has struct_indexof
  struct_insert struct_pack struct_position struct_update substr substring_grapheme subtract suffix tan tanh
  time_bucket to_base to_base64 to_binary to_centuries to_days to_decades to_hex to_hours to_microseconds to_millennia
  to_milliseconds to_minutes to_months to_quarters to_seconds to_timestamp to_weeks to_years translate trunc try
  try_strptime typeof ucase unbin unhex unicode union_extract union_tag union_value upper url_decode url_encode week
  weekday weekofyear xor year yearweek
  cast try_cast extract substring trim position overlay
  `)
)

/** What may stand before a bracket without being a function: operators, clauses of an aggregate, types with a size. */
export const BEFORE_BRACKET: ReadonlySet<string> = new Set(
  words(`
  and or not in between like ilike similar to is when then else case by any all some distinct escape glob interval
  decimal numeric dec varchar char character bpchar text string bit struct union time timestamp float double
  `)
)

/** Functions over the rows of a group. */
export const AGGREGATE_FUNCTIONS: ReadonlySet<string> = new Set(
  words(`
  any_value approx_count_distinct approx_quantile approx_top_k arbitrary arg_max arg_max_null arg_min arg_min_null
  argmax argmin array_agg avg bit_and bit_or bit_xor bitstring_agg bool_and bool_or corr count count_if countif
  covar_pop covar_samp entropy favg first fsum geomean geometric_mean group_concat histogram histogram_exact kahan_sum
  kurtosis kurtosis_pop last list listagg mad max max_by mean median min min_by mode product quantile quantile_cont
  quantile_disc regr_avgx regr_avgy regr_count regr_intercept regr_r2 regr_slope regr_sxx regr_sxy regr_syy sem
  skewness stddev stddev_pop stddev_samp string_agg sum sumkahan var_pop var_samp variance wavg weighted_avg
  `)
)

/** Functions over a window; in the `sql` step alone. */
export const WINDOW_FUNCTIONS: ReadonlySet<string> = new Set(
  words(
    `row_number rank dense_rank rank_dense percent_rank cume_dist ntile lag lead first_value last_value nth_value fill`
  )
)

/** The clock and the session, which need no bracket; the engine takes them for functions even in quotes. */
export const BARE_FUNCTIONS: ReadonlySet<string> = new Set(
  words(`
  current_date current_time current_timestamp localtime localtimestamp current_user session_user user
  current_role current_catalog current_schema current_database
  `)
)
