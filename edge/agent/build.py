"""The agent's parts made from its settings."""

from __future__ import annotations

import os
from pathlib import Path

import cv2

from edge import health, messages
from edge.agent.pool import DetectorPool
from edge.agent.sensors import sensors_of
from edge.catalog.book import open_book
from edge.catalog.load import load_model
from edge.detect.detector import OnnxDetector
from edge.messages import Address
from edge.scene import TaughtPlace
from edge.sensors.known import KnownSensor
from edge.settings import Camera, EdgeSettings, State
from edge.states import lesson
from edge.uplink import Document
from linli.clock import Clock
from linli.errors import InputError
from linli.events import DescribeData
from linli.mqtt import LinkOptions
from linli.tls import client_context
from linli.topics import SELF

CAPABILITIES = ("event", "telemetry", "evidence")


def address_of(settings: EdgeSettings) -> Address:
    """Return who this node is."""
    return Address(settings.node.site, settings.node.area, settings.node.id)


def load_pool(settings: EdgeSettings, clock: Clock) -> DetectorPool:
    """Load the wanted model for as many threads as there are cores or cameras. InputError."""
    model = settings.model
    first = load_model(model.file, threads=model.threads, name=model.name, book=open_book())
    return pool_of(first, settings, clock)


def pool_of(first: OnnxDetector, settings: EdgeSettings, clock: Clock) -> DetectorPool:
    """Return a pool of as many detectors like `first` as there are cores or cameras."""
    cv2.setNumThreads(1)  # a detector per core: OpenCV's own threads would fight them
    cores = len(os.sched_getaffinity(0)) // settings.model.threads
    count = max(1, min(cores, len(settings.camera)))
    return DetectorPool([first, *(first.another() for _ in range(1, count))], clock)


def taught_places(camera: Camera) -> list[TaughtPlace]:
    """Read what was taught of a camera's places. Raises InputError."""
    return [TaughtPlace(one, *_lesson(one)) for one in camera.state]


def _lesson(place: State) -> tuple[lesson.Lesson, str]:
    if place.file is not None:
        return lesson.load(Path(place.file))
    return lesson.of_document(place.taught or {}, where=f"state {place.id}: taught")


def link_options(settings: EdgeSettings) -> LinkOptions:
    """Return how to reach the broker. Raises InputError for another's username or a bad file."""
    mqtt, node = settings.mqtt, settings.node.id
    if mqtt.username is not None and mqtt.username != node:
        raise InputError(
            f"must be the node's id {node!r}, not {mqtt.username!r}",
            where="mqtt.username",
            hint="One name is the node's id, client id and username",
        )
    settings.mqtt_password()  # what is wrong with it is said now, not at a connection
    return LinkOptions(
        host=mqtt.host,
        port=mqtt.port,
        client_id=node,
        username=mqtt.username,
        password=settings.mqtt_password,
        protocol=mqtt.protocol,
        tls=client_context(mqtt.ca_file, mqtt.cert_file, mqtt.key_file),
    )


def births(settings: EdgeSettings, version: str, clock: Clock) -> list[Document]:
    """Return what this node and its cameras are, to be published on each connection."""
    address, stamp = address_of(settings), health.stamp(clock)
    described = {SELF: DescribeData(kind="edge", label=settings.node.id, version=version)}
    for camera in settings.camera:
        described[camera.id] = DescribeData(
            kind="camera" if camera.guide is None else "guide",
            label=camera.label,
            capabilities=CAPABILITIES,
        )
    for sensor in sensors_of(settings):
        described[sensor.id] = DescribeData(
            kind=sensor.kind,
            label=sensor.label,
            vendor=sensor.mapping.vendor,
            model=sensor.mapping.model,
            capabilities=_capabilities(sensor),
        )
    for group in settings.lamp_group:
        described[group.id] = DescribeData(
            kind="lamp-group", label=group.label, capabilities=("lamp-set", "level")
        )
        for lamp in group.lamp:
            described[lamp.id] = DescribeData(
                kind="lamp", label=lamp.label, capabilities=("lamp-fault", "on", "burning")
            )
    for door in settings.door:
        described[door.id] = DescribeData(
            kind="lift-door", label=door.label, capabilities=("door-hold", "door-release")
        )
    for speaker in settings.speaker:
        described[speaker.id] = DescribeData(
            kind="speaker", label=speaker.label, capabilities=("voice-prompt",)
        )
    for one in settings.bin:
        described[one.id] = DescribeData(
            kind="bin", label=one.label, capabilities=("event", "telemetry")
        )
    documents: list[Document] = []
    for device, data in described.items():
        topic = address.topic(device, "meta", "describe")
        documents.append((topic, messages.describe(topic, stamp, data)))
    return documents


def _capabilities(sensor: KnownSensor) -> tuple[str, ...]:
    """Return what a sensor can say: its quantities, as many as the contract has room for."""
    return tuple(sorted({one.quantity for one in sensor.mapping.reading}))[:64]
