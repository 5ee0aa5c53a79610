package dev.holdfast.lock.elasticsearch;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.holdfast.lock.store.Incarnation;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What the lock index must look like: how it is created, and how one that exists is checked. Index
 * templates of others apply to every index whose name they match, so whatever the protocol or a
 * promise of the API relies on is said explicitly at creation, and checked at every look-up.
 */
final class IndexRules {
  private static final String META_ERA = "mappings._meta.holdfast.era";
  private static final String DELETE = "When no lock is in use, delete it";
  private static final String DELETE_AND_EXCLUDE =
      "When no lock is in use, delete it, and exclude it from index templates";

  /** Up to this, {@code list()} shows what it promises to. */
  private static final long MAX_REFRESH_MILLIS = 2_000;

  private static final int PAGE_SIZE = 200;

  private static final int MAX_FIELDS = 100_000;

  private static final ObjectMapper MAPPER = new ObjectMapper();

  private final IndexNames names;
  private final int era;

  IndexRules(IndexNames names, int era) {
    this.names = names;
    this.era = era;
  }

  // --- Creation

  /**
   * The settings of a new index. A null stands for Elasticsearch's default, and overrides templates
   * as a value does.
   */
  static Map<String, @Nullable Object> settings() {
    Map<String, @Nullable Object> settings = new LinkedHashMap<>();
    settings.put("index.hidden", true);
    settings.put("index.number_of_shards", 1);
    settings.put("index.auto_expand_replicas", "0-2");
    settings.put("index.translog.durability", "request");
    settings.put("index.default_pipeline", "_none");
    settings.put("index.final_pipeline", "_none");
    // Room for the fields of templates: what they raise for them is overridden too.
    settings.put("index.mapping.total_fields.limit", MAX_FIELDS);
    for (String setting :
        List.of(
            "refresh_interval",
            "mode",
            "mapping.source.mode",
            "recovery.use_synthetic_source",
            "sort.field",
            "sort.order",
            "sort.mode",
            "sort.missing",
            "routing_path",
            "routing_partition_size",
            "mapping.depth.limit",
            "mapping.field_name_length.limit",
            "blocks.read_only",
            "blocks.read_only_allow_delete",
            "blocks.read",
            "blocks.write",
            "blocks.metadata",
            "max_result_window",
            "routing.allocation.enable",
            "soft_deletes.enabled",
            "disable_sequence_numbers",
            "write.wait_for_active_shards",
            "gc_deletes",
            "lifecycle.name",
            "lifecycle.rollover_alias",
            "lifecycle.parse_origination_date")) {
      settings.put("index." + setting, null);
    }
    return settings;
  }

  private static Map<String, Map<String, Object>> fields() {
    Map<String, Map<String, Object>> fields = new LinkedHashMap<>();
    fields.put(RecordCodec.TOKEN, Map.of("type", "keyword"));
    fields.put(RecordCodec.OWNER, Map.of("type", "keyword"));
    fields.put(RecordCodec.CREATED_AT, Map.of("type", "date"));
    fields.put(RecordCodec.EXPIRES_AT, Map.of("type", "date"));
    fields.put(RecordCodec.TTL_MILLIS, Map.of("type", "long"));
    fields.put(RecordCodec.MAX_CLOCK_SKEW_MILLIS, Map.of("type", "long"));
    fields.put(RecordCodec.METADATA, Map.of("type", "object", "enabled", false));
    return fields;
  }

  /** The body of the request that creates the index. */
  byte[] creation(String incarnation, Map<String, @Nullable Object> settings) {
    Map<String, Object> mapping = new LinkedHashMap<>();
    mapping.put("dynamic", false);
    mapping.put("_meta", Map.of("holdfast", Map.of("era", era)));
    mapping.put("_source", Map.of("enabled", true));
    mapping.put("_routing", Map.of("required", false));
    mapping.put("_data_stream_timestamp", Map.of("enabled", false));
    mapping.put("properties", fields());
    Map<String, Object> body = new LinkedHashMap<>();
    body.put("aliases", Map.of(names.alias(), Map.of(), incarnation, Map.of()));
    body.put("mappings", mapping);
    body.put("settings", settings);
    try {
      return MAPPER.writeValueAsBytes(body);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("maps of texts and numbers are always JSON", e);
    }
  }

  // --- Checks

  /**
   * The incarnation that the alias leads to.
   *
   * @throws LockIndexException if the index cannot be used for locks
   */
  Incarnation check(List<IndexDescription> indices) {
    if (indices.size() != 1) {
      throw new LockIndexException(
          "Alias \""
              + names.alias()
              + "\" leads to "
              + indices.stream().map(IndexDescription::name).toList()
              + ", but must lead to exactly one index. Remove it from the others.");
    }
    IndexDescription index = indices.get(0);
    if (index.name().equals(names.alias())) {
      throw wrong(
          index,
          "it is an index where an alias is expected",
          "Rename or delete it, or configure another alias");
    }
    List<String> incarnations =
        index.aliases().stream()
            .filter(alias -> alias.startsWith(names.incarnationPrefix()))
            .sorted()
            .toList();
    if (incarnations.size() != 1) {
      throw wrong(
          index,
          "it must have exactly one alias that begins with \""
              + names.incarnationPrefix()
              + "\", but has "
              + incarnations,
          "It was not made by Holdfast, or its aliases were changed. " + DELETE);
    }
    checkSettings(index);
    if (index.get("mappings") == null) {
      throw wrong(index, "it has no mapping", DELETE);
    }
    checkMapping(index);
    return new Incarnation(incarnations.get(0), eraOf(index));
  }

  private static void checkSettings(IndexDescription index) {
    if ("async".equalsIgnoreCase(index.setting("translog.durability"))) {
      throw wrong(
          index,
          "index.translog.durability is async, which loses acknowledged writes in a crash, and so"
              + " locks that are held",
          "Set it to request, also in the template that it comes from");
    }
    String pipeline = index.setting("final_pipeline");
    if (pipeline != null && !pipeline.equals("_none")) {
      throw wrong(
          index,
          "index.final_pipeline is \""
              + pipeline
              + "\", a pipeline that may change or drop records and cannot be bypassed",
          "Set it to _none, also in the template that it comes from");
    }
    if ("true".equals(index.setting("disable_sequence_numbers"))) {
      throw wrong(
          index,
          "index.disable_sequence_numbers is true, and no record can be written conditionally"
              + " without them",
          DELETE_AND_EXCLUDE);
    }
    String mode = index.setting("mode");
    if (mode != null && !mode.equals("standard")) {
      throw wrong(index, "index.mode is " + mode + ", but must be standard", DELETE_AND_EXCLUDE);
    }
    String source = index.setting("mapping.source.mode");
    if (source != null && !source.equalsIgnoreCase("stored")) {
      throw wrong(
          index,
          "index.mapping.source.mode is " + source + ", which does not keep each document as it is",
          DELETE_AND_EXCLUDE);
    }
  }

  private static void checkMapping(IndexDescription index) {
    if (!"false".equals(index.get("mappings.dynamic"))) {
      throw wrong(index, "its mapping is not dynamic:false", DELETE_AND_EXCLUDE);
    }
    fields().forEach((field, expected) -> checkField(index, field, expected));
    if ("true".equals(index.get("mappings._routing.required"))) {
      throw wrong(
          index,
          "its mapping has _routing.required, so no record can be written",
          DELETE_AND_EXCLUDE);
    }
    if ("true".equals(index.get("mappings._data_stream_timestamp.enabled"))) {
      throw wrong(
          index,
          "its mapping has _data_stream_timestamp enabled, so no record can be written",
          DELETE_AND_EXCLUDE);
    }
    String mode = index.get("mappings._source.mode");
    if ("false".equals(index.get("mappings._source.enabled"))
        || (mode != null && !mode.equalsIgnoreCase("stored"))
        || isNotEmpty(index.get("mappings._source.includes"))
        || isNotEmpty(index.get("mappings._source.excludes"))) {
      // Records are read back from the source: all of it must be kept, as it was written.
      throw wrong(
          index, "its mapping's _source does not keep all of each document", DELETE_AND_EXCLUDE);
    }
  }

  private static void checkField(
      IndexDescription index, String field, Map<String, Object> expected) {
    String path = "mappings.properties." + field;
    boolean there = index.get(path) != null;
    String type = index.get(path + ".type");
    boolean object = there && (type == null || type.equals("object"));
    boolean disabled = object && "false".equals(index.get(path + ".enabled"));
    boolean alike =
        expected.containsKey("enabled") ? disabled : Objects.equals(expected.get("type"), type);
    if (!alike) {
      throw wrong(
          index,
          "field \""
              + field
              + "\" must be "
              + (expected.containsKey("enabled") ? "object (enabled:false)" : expected.get("type"))
              + ", but is "
              + (!there
                  ? "missing"
                  : object ? "object" + (disabled ? " (enabled:false)" : "") : type),
          DELETE_AND_EXCLUDE);
    }
    String format = index.get(path + ".format");
    if (format != null && !takesOurDates(format)) {
      throw wrong(
          index,
          "field \"" + field + "\" has the date format \"" + format + "\", which refuses ISO-8601",
          DELETE_AND_EXCLUDE);
    }
    for (String also : List.of("copy_to", "fields")) {
      String value = index.get(path + "." + also);
      if (value != null && !value.isEmpty()) {
        throw wrong(
            index,
            "field \""
                + field
                + "\" has "
                + also
                + (value.equals(IndexDescription.OBJECT) ? "" : " (" + value + ")")
                + ": records whose text another field refuses cannot be written",
            DELETE_AND_EXCLUDE);
      }
    }
    if (index.get(path + ".script") != null) {
      throw wrong(index, "field \"" + field + "\" is computed by a script", DELETE_AND_EXCLUDE);
    }
  }

  private static boolean takesOurDates(String format) {
    for (String one : format.split("\\|\\|", -1)) {
      if (List.of("strict_date_optional_time", "date_optional_time", "iso8601").contains(one)
          || one.equals("strict_date_optional_time_nanos")) {
        return true;
      }
    }
    return false;
  }

  private static boolean isNotEmpty(@Nullable String list) {
    return list != null && !list.isEmpty();
  }

  private static int eraOf(IndexDescription index) {
    String era = index.get(META_ERA);
    try {
      if (era != null) {
        return new Incarnation("any", Integer.parseInt(era)).era();
      }
    } catch (IllegalArgumentException e) {
      throw noEra(index, e);
    }
    throw noEra(index, null);
  }

  private static LockIndexException noEra(
      IndexDescription index, @Nullable IllegalArgumentException cause) {
    LockIndexException exception =
        wrong(
            index,
            "its mapping's _meta does not say its fencing era",
            "It was not made by Holdfast, or its mapping was changed. " + DELETE);
    if (cause != null) {
      exception.initCause(cause);
    }
    return exception;
  }

  /** What works, but not as it should; empty for an index as this class creates it. */
  static List<String> warnings(IndexDescription index) {
    List<String> warnings = new ArrayList<>();
    String policy = index.setting("lifecycle.name");
    if (isNotEmpty(policy)) {
      warnings.add(
          "index lifecycle policy \""
              + policy
              + "\" is attached (index.lifecycle.name): a rollover, a deletion or a read-only phase"
              + " ends or blocks every lock; remove the policy from the index, and exclude the index"
              + " from the template that it comes from");
    }
    if (isRefreshedLate(index)) {
      warnings.add(
          "index.refresh_interval is "
              + index.setting("refresh_interval")
              + ": list() may miss locks for that long; reset it to null");
    }
    String window = index.setting("max_result_window");
    if (window != null && millis(window + "ms") < PAGE_SIZE) {
      warnings.add(
          "index.max_result_window is "
              + window
              + ": list() reads pages of "
              + PAGE_SIZE
              + " records and is rejected; reset it to null");
    }
    return warnings;
  }

  /** Whether a listing may be later than promised unless the index is refreshed before. */
  static boolean isRefreshedLate(IndexDescription index) {
    String interval = index.setting("refresh_interval");
    if (interval == null) {
      return false;
    }
    long millis = millis(interval);
    return millis < 0 || millis > MAX_REFRESH_MILLIS;
  }

  /** A time such as {@code 30s} in milliseconds, negative if there is none. */
  private static long millis(String time) {
    int digits = 0;
    while (digits < time.length() && Character.isDigit(time.charAt(digits))) {
      digits++;
    }
    if (digits == 0 || digits > 12) {
      return -1;
    }
    long number = Long.parseLong(time.substring(0, digits));
    return switch (time.substring(digits)) {
      case "nanos" -> number / 1_000_000;
      case "micros" -> number / 1_000;
      case "", "ms" -> number;
      case "s" -> number * 1_000;
      case "m" -> number * 60_000;
      case "h" -> number * 3_600_000;
      case "d" -> number * 86_400_000;
      default -> -1;
    };
  }

  private static LockIndexException wrong(IndexDescription index, String what, String remedy) {
    return new LockIndexException(
        "Index \"" + index.name() + "\" cannot be used for locks: " + what + ". " + remedy + ".");
  }
}
