"""The conformance corpus of the standard's own test harness: every file, judged for the right reason.

23 of the invalid files carry `detectionLocation`, a key of an older edition, which breaks them before
the fault they were written for is reached. It is dropped, except where it is that fault: 0111 and 0112
are about this key alone, and without it they say the same as the valid DetectionReport.
"""

import json
import re

import pytest

from vedette.wire.sapient import SapientError, read_json, validate

STALE = "detectionLocation"
ABOUT_THE_STALE_KEY = ("0111", "0112")
VERDICTS = {"missing", "error", "empty", "wrong", "invalid", "badid", "sub", "forsub", "fullmessage", "2"}
MISNAMED = {
    "dependantnodes": "dependentnodes",
    "value2": "value",
    "levelmissing": "level",
    "name": "subclassname|name",
}
"""Spellings of file names -> the field of the proto files."""
MISTAKEN = {"0112": "detectionlocation", "0117": "value"}
"""0112 names what stands inside the stale key, which is what we name; 0117 says Type, but has a valid one
and lacks the value, which is what we name. The other 127 are held to the field of their own name."""


def corpus(field_data, folder):
    files = sorted((field_data / "protocols" / "sapient" / folder).glob("*.json"))
    return {path.name.removesuffix(".json"): json.loads(path.read_text()) for path in files}


def without_stale_key(document):
    report = {key: value for key, value in document["detectionReport"].items() if key != STALE}
    return {**document, "detectionReport": report}


def faults_of(document):
    """(path, text) of every fault, also of a document that cannot be read at all."""
    try:
        return [(fault.path, str(fault)) for fault in validate(read_json(json.dumps(document)))]
    except SapientError as error:
        return [(error.path, str(error))]


def named_field(name):
    """The last word of the file name that is a field and no verdict."""
    words = [word.lower() for word in name.split(".")[1:]]
    field = [word for word in words if word not in VERDICTS and word != "json"][-1]
    return MISTAKEN.get(name[:4]) or MISNAMED.get(field, field)


def names(path, field):
    words = [re.sub(r"_oneof$|_|\[\d+\]$", "", word).lower() for word in path.split(".")]
    return any(re.fullmatch(field, word) for word in words)


@pytest.mark.field
def test_valid_files_are_accepted(field_data):
    documents = corpus(field_data, "valid")
    assert len(documents) == 26
    assert {name: faults for name, document in documents.items() if (faults := faults_of(document))} == {}


@pytest.mark.field
def test_invalid_files_are_rejected_for_the_named_field(field_data):
    documents = corpus(field_data, "invalid")
    assert len(documents) == 129
    wrong = {}
    for name, document in documents.items():
        if STALE in document.get("detectionReport", {}) and not name.startswith(ABOUT_THE_STALE_KEY):
            document = without_stale_key(document)
        faults = faults_of(document)
        if not faults or not all(names(path, named_field(name)) for path, _ in faults):
            wrong[name] = faults
    assert wrong == {}


@pytest.mark.field
def test_each_invalid_file_has_one_fault(field_data):
    """What else would be found in a file would be a false alarm: all else in it is as in the valid ones."""
    counts = {}
    for name, document in corpus(field_data, "invalid").items():
        if STALE in document.get("detectionReport", {}):
            document = without_stale_key(document)
        counts[name] = len(faults_of(document))
    unusual = {name[:4]: count for name, count in counts.items() if count != 1}
    # 0160 leaves out both coordinates; 0111 and 0112 are sound without the stale key.
    assert unusual == {"0111": 0, "0112": 0, "0160": 2}


@pytest.mark.field
@pytest.mark.parametrize("number", ABOUT_THE_STALE_KEY)
def test_the_files_about_the_stale_key_are_sound_without_it(field_data, number):
    (document,) = (doc for name, doc in corpus(field_data, "invalid").items() if name.startswith(number))
    assert [path for path, _ in faults_of(document)] == ["detection_report.detection_location"]
    sound = corpus(field_data, "valid")["DetectionReport.FullMessage"]
    left = without_stale_key(document)
    assert left["detectionReport"] == sound["detectionReport"]
    assert {key for key in left if left[key] != sound[key]} <= {"nodeId", "destinationId"}
    assert faults_of(left) == []


@pytest.mark.field
def test_the_file_that_says_type_has_one_and_lacks_the_value(field_data):
    (document,) = (doc for name, doc in corpus(field_data, "invalid").items() if name.startswith("0117"))
    sound = corpus(field_data, "valid")["DetectionReport.FullMessage"]["detectionReport"]
    report = without_stale_key(document)["detectionReport"]
    (info,) = report["trackInfo"]
    assert {key for key in {*report, *sound} if report.get(key) != sound.get(key)} == {"trackInfo"}
    assert {**info, "value": "TestValue"} == sound["trackInfo"][0]


@pytest.mark.field
def test_the_faults_of_the_stale_key_are_found_in_its_successor(field_data):
    """The empty list of 0111 and the range-bearing without datum of 0112, said in this edition."""
    documents = corpus(field_data, "invalid")
    (nowhere,) = (doc for name, doc in documents.items() if name.startswith("0111"))
    assert nowhere["detectionReport"][STALE] == {"locationList": {"locations": []}}
    del nowhere["detectionReport"]["location"]
    found = faults_of(without_stale_key(nowhere))
    assert [path for path, _ in found] == ["detection_report.location_oneof"]

    (no_datum,) = (doc for name, doc in documents.items() if name.startswith("0112"))
    cone = no_datum["detectionReport"][STALE]["rangeBearing"]
    bearing = {key: value for key, value in cone.items() if "extent" not in key}
    no_datum = without_stale_key(no_datum)
    del no_datum["detectionReport"]["location"]
    no_datum["detectionReport"]["rangeBearing"] = bearing
    assert [path for path, _ in faults_of(no_datum)] == ["detection_report.range_bearing.datum"]
