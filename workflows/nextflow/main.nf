#!/usr/bin/env nextflow
// Finds and measures the cells of all images of a sample sheet, an image a task, on whatever Nextflow runs on:
//
//   nextflow run workflows/nextflow -profile docker --input samplesheet.csv --outdir results --model mesmer.onnx
//
// An image that fails does not stop the others; the run then ends with an error.

include { CELLSCALE } from './modules/local/cellscale/main'

// A row of the sample sheet as the module takes it.
def sample(Map row, Object sheet) {
    if (!row.sample || !row.image) {
        error("${sheet}: every row needs a sample and an image; found ${row}")
    }
    def meta = [
        id: row.sample,
        nuclear_channel: row.nuclear_channel ?: '',
        membrane_channel: row.membrane_channel ?: '',
        image_mpp: row.image_mpp ?: '',
    ]
    return [meta, file(row.image, checkIfExists: true)]
}

workflow {
    if (!params.input) {
        error('give the sample sheet: --input samplesheet.csv')
    }
    def sheet = file(params.input, checkIfExists: true)
    def images = channel.of(sheet).splitCsv(header: true, strip: true).map { row -> sample(row, sheet) }
    def model = params.model ? file(params.model, checkIfExists: true) : []

    CELLSCALE(images, model)
}
